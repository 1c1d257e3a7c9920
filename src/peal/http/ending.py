"""Whether the service ends: what has no end of its own, a stream, must know before it is waited for.

Told by the process that starts the workers, to those that it has forked: a worker's own signals are the
server's, which may hang when it is called twice for one.
"""

import multiprocessing
from multiprocessing.synchronize import Event


class Ending:
    """The word of one service; workers inherit it."""

    told: Event | None = None


def prepare() -> None:
    """Make it known to the workers that are started from now on."""
    Ending.told = multiprocessing.Event()


def tell() -> None:
    """Say that the service ends."""
    if Ending.told:
        Ending.told.set()


def heard() -> bool:
    """Return whether the service ends; never, where no service was prepared."""
    return Ending.told is not None and Ending.told.is_set()
