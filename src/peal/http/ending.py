"""Whether the service ends: what has no end of its own, a stream, must know before it is waited for.

Told by the process that starts the workers, to those that it has forked. It signals them, too, but that alone
would not do: a signal that comes before a worker's handlers are set, or between two runs of its loop, is
lost; and the server hangs when it is told of two, as by Ctrl-C, which goes to all processes of a terminal.
"""

import asyncio
import mmap
import signal
from collections.abc import Callable
from typing import TypeVarTuple

import uvloop

LOOK_SECONDS = 0.2
Arguments = TypeVarTuple("Arguments")


class Ending:
    """The word of one service: a byte that workers inherit, without a lock that one could die with."""

    told: mmap.mmap | None = None


def prepare() -> None:
    """Make it known to the workers that are started from now on."""
    Ending.told = mmap.mmap(-1, 1)


def tell() -> None:
    """Say that the service ends."""
    if Ending.told is not None:
        Ending.told[0] = True


def heard() -> bool:
    """Return whether the service ends; never, where no service was prepared."""
    return Ending.told is not None and bool(Ending.told[0])


async def leave() -> None:
    """Have this worker end when the service does; run in its main thread, beside what it serves."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if heard():
            signal.raise_signal(signal.SIGTERM)
            return


class Loop(uvloop.Loop):
    """A worker's loop: of the signals that end it, only the first is told."""

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def add_signal_handler(
        self, sig: int, callback: Callable[[*Arguments], object], *args: *Arguments
    ) -> None:
        """Have `callback` called at the first signal, if it is this one."""
        super().add_signal_handler(sig, self._first, callback, *args)

    def _first(self, callback: Callable[[*Arguments], object], *args: *Arguments) -> None:
        if not self._told:
            self._told = True
            callback(*args)
