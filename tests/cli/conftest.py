import os
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from running import Up


@pytest.fixture
def folder():
    """Below /tmp, where the switch's user can reach it."""
    with tempfile.TemporaryDirectory(prefix="peal-up-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def starting():
    """Starts them; what is left of them at the end is killed."""
    made = []

    def start(folder: Path, *before: str, **settings: str) -> Up:
        made.append(Up(folder, *before, **settings))
        return made[-1].start()

    yield start
    for each in made:
        for pid in each.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        each.process.communicate()
