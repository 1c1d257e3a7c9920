"""A bench of parts: its options, its folder, and the table that it comes to."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(width=140)


@dataclass(frozen=True)
class Row:
    """One of the table."""

    measure: str
    value: str
    must: str = ""


def report(
    title: str,
    parts: Mapping[str, Callable[[Any], Iterable[Row]]],
    place: Callable[[Path, int], AbstractContextManager[Any]],
) -> None:
    """Run the parts, or the one that is asked for, each at the `place` of a folder and a number of rounds."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=parts)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # all that was started is ended
    table = Table("measure", "value", "must reach", title=title, title_justify="left")
    with tempfile.TemporaryDirectory(prefix="peal-bench-") as name, place(Path(name), chosen.rounds) as here:
        for part in [chosen.only] if chosen.only else parts:
            for row in parts[part](here):
                console.print(f"{row.measure}: {row.value}", highlight=False)
                table.add_row(row.measure, row.value, row.must)
    console.print(table)
