"""A file that one process at a time has to itself, until it ends, however it does."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

LOOKS = 10
LOOK_SECONDS = 0.01
"""Who only looks whose it is has it for an instant, too; that is waited for."""


def take(file: Path) -> bool:
    """Lock a file, which is made, until this process ends; its id stands in it. False: another has it."""
    opened = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    for _ in range(LOOKS):
        with suppress(BlockingIOError):
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(opened, 0)
            os.write(opened, str(os.getpid()).encode())
            return True
        time.sleep(LOOK_SECONDS)
    os.close(opened)
    return False


def holder(file: Path) -> int | None:
    """Return the id of the process that has locked a file; None: nobody has."""
    with suppress(FileNotFoundError):
        opened = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.read(opened, 20) or 0) or None  # it may just have taken it
        finally:
            os.close(opened)
    return None
