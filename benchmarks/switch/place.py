"""Where a bench runs: its folder, switches in it, people who may phone."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import data
from meter import Meter
from people import People
from sip import sipp
from sip.exchange import Exchange

CLIENT = 90
"""Extensions of a client, where calls are measured: bundles of one and of three come out even."""
EXTENSIONS = 10 * CLIENT
SETTINGS = {"PEAL_FLOOD_LIMIT": "1000000", "PEAL_RING_SECONDS": "20", "PEAL_ANSWER_SECONDS": "5"}
"""All phones of the bench have one address, and a loaded machine's phones may be slow."""
SETTLED_SECONDS = 6
"""After the last answer: transactions and dialogs are forgotten, events written."""


@dataclass(frozen=True)
class Place:
    """A folder, and how often each thing is measured there."""

    folder: Path
    rounds: int

    def database(self, people: People) -> str:
        """Return the URL of a database of its own with these people."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o711)
        url = data.sqlite(folder, people.extensions, people.size, people.client)
        people.give_passwords(url)
        return url

    @contextmanager
    def exchange(self, url: str) -> Iterator[Exchange]:
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            folder.chmod(0o711)
            running = Exchange(url, folder, **SETTINGS)
            try:
                yield running
            finally:
                running.stop()


@contextmanager
def at(folder: Path, rounds: int) -> Iterator[Place]:
    folder.chmod(0o711)  # the switch has a user of its own
    yield Place(folder, rounds)


def bundles_of(size: int) -> People:
    return People(EXTENSIONS, size, CLIENT)


def register(port: int, phones: list[tuple[str, int]]) -> None:
    all_good(sipp.registrations(port, phones))


def warm(port: int, people: People) -> None:
    """Let each call once, slowly: routing rows are fetched."""
    all_good(sipp.calls(port, people.calls, rate=50, many=min(200, len(people.calls))))


def idle_share(meter: Meter, seconds: float = 3.0) -> float:
    """Return the CPU seconds per second of a switch that has nothing to do."""
    time.sleep(SETTLED_SECONDS)
    before = meter.seconds()
    time.sleep(seconds)
    return (meter.seconds() - before) / seconds


def all_good(done: sipp.Outcome) -> None:
    if done.failed:
        raise SystemExit(f"bench: {done.failed} failed, {done.good} did not")
