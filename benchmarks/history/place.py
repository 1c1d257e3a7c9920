"""Where a bench of what happened runs, and what it finds."""

from dataclasses import dataclass
from pathlib import Path

from parts import Postgres


@dataclass(frozen=True)
class Row:
    """One of the table."""

    measure: str
    value: str
    must: str = ""


@dataclass(frozen=True)
class Place:
    """A cluster, a folder, and how often each thing is measured there."""

    cluster: Postgres
    folder: Path
    rounds: int
