"""How commands talk: a table for people, one JSON object for programs."""

import sys
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


class Failure(Exception):
    """Why a command could not be done."""


def show(values: dict[str, Any], *, as_json: bool, title: str = "") -> None:
    """Print `values` on stdout."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(values).decode() + "\n")
        sys.stdout.flush()
        return
    table = Table(title=title or None, show_header=False, title_justify="left")
    for name, value in values.items():
        table.add_row(name, _text(value))
    console = Console()
    console.print(table)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    return "" if value is None else str(value)
