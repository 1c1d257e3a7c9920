"""Where a bench of what happened runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from parts import Postgres


@dataclass(frozen=True)
class Place:
    """A cluster, a folder, and how often each thing is measured there."""

    cluster: Postgres
    folder: Path
    rounds: int


@contextmanager
def at(folder: Path, rounds: int) -> Iterator[Place]:
    folder.chmod(0o755)  # the cluster has a user of its own
    cluster = Postgres(folder)
    try:
        yield Place(cluster, folder, rounds)
    finally:
        cluster.stop()
