"""The file that says who runs the switch, or forwards its events."""

import fcntl
import os
from threading import Timer

from peal.kit.lock import LOOK_SECONDS, holder, take


# Break: lock.py, LOOKS: 1.
def test_who_only_looks_whose_it_is_keeps_nobody_from_taking_it(tmp_path):
    file = tmp_path / "lock"
    looking = os.open(file, os.O_RDONLY | os.O_CREAT)
    fcntl.flock(looking, fcntl.LOCK_SH)
    Timer(2 * LOOK_SECONDS, os.close, [looking]).start()
    assert take(file)
    assert holder(file) == os.getpid()


def test_whose_it_is_keeps_it(tmp_path):
    file = tmp_path / "lock"
    assert take(file)
    assert not take(file)
    assert holder(file) == os.getpid()
