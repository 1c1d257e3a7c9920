"""The guard against guessing secrets: what fails is counted, over all workers, in a table of fixed size."""

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Iterator

import structlog

from peal.errors import TooManyRequests
from peal.http.source import group

log = structlog.get_logger()

ADDRESS_FACTOR = 2
"""An address may fail so many times as often as it may with one application: who guesses at one of them keeps
nobody from the others."""
REQUESTS_FACTOR = 50
"""And may send so many times as many requests in all, good ones included."""

ROWS, WIDTH = 4, 16_384
_CELL = struct.Struct("=II")


class Counts:
    """How often each key was counted in this second, by all processes that were forked since it was made.

    A count-min sketch: a key has a cell in each row, and the lowest of them is its count. Others may share a
    cell, so a count may be too high, where many thousand keys are counted in a second; it is never too low.
    Where a key's cells are nobody outside can know.
    """

    def __init__(self) -> None:
        self._key = os.urandom(16)
        self._file = os.memfd_create("peal-counts")
        os.ftruncate(self._file, ROWS * WIDTH * _CELL.size)
        self._table = mmap.mmap(self._file, 0)

    def get(self, key: str) -> int:
        """Return how often `key` was counted in this second."""
        second = _second()
        return min(self._read(cell, second) for cell in self._cells(key))

    def add(self, key: str) -> int:
        """Count `key` once; return how often it was."""
        second, counts = _second(), []
        fcntl.lockf(self._file, fcntl.LOCK_EX)  # released with the process, however it ends
        try:
            for cell in self._cells(key):
                counts.append(self._read(cell, second) + 1)
                _CELL.pack_into(self._table, cell, second, counts[-1])
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)
        return min(counts)

    def _read(self, cell: int, second: int) -> int:
        of, count = _CELL.unpack_from(self._table, cell)
        return int(count) if of == second else 0

    def _cells(self, key: str) -> Iterator[int]:
        digest = hashlib.blake2b(key.encode("utf-8", "replace"), key=self._key, digest_size=4 * ROWS).digest()
        for row, number in enumerate(struct.unpack(f"={ROWS}I", digest)):
            yield (row * WIDTH + number % WIDTH) * _CELL.size


def _second() -> int:
    return int(time.monotonic()) & 0xFFFFFFFF


class Shared:
    """The counts of one service; its workers inherit them."""

    counts: Counts | None = None


def prepare() -> Counts:
    """Make the counts that workers started from now on share; return them."""
    Shared.counts = Shared.counts or Counts()
    return Shared.counts


class GuessLimit:
    """So many failures a second of an address with one application, and of an address altogether."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._counts = prepare()

    def request(self, address: str) -> None:
        """Count one request, whatever comes of it.

        Raises:
            TooManyRequests: there were too many of the address in this second.
        """
        if self._counts.add(f"requests {group(address)}") > self._per_second * REQUESTS_FACTOR:
            raise _too_many()

    def check(self, address: str, name: str) -> None:
        """Look whether `address` may try a secret of `name`: right ones, too, are refused when it may not.

        Raises:
            TooManyRequests: too many have failed in this second.
        """
        for key, most in self._keys(address, name):
            if self._counts.get(key) >= most:
                raise _too_many()

    def failed(self, address: str, name: str) -> None:
        """Count one wrong secret."""
        for key, most in self._keys(address, name):
            if self._counts.add(key) == most:
                log.warning("too_many_failures", address=address, tried=name[:32])

    def _keys(self, address: str, name: str) -> Iterator[tuple[str, int]]:
        whose = group(address)
        yield f"failures {whose} {name}", self._per_second
        yield f"failures {whose}", self._per_second * ADDRESS_FACTOR


def _too_many() -> TooManyRequests:
    return TooManyRequests(headers={"Retry-After": "1"})
