"""The command `peal`: one file per noun, loaded when it is called: all of them take half a second more."""

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from peal.cli.output import Failure
from peal.kit.files import keep_to_ourselves

NOUNS = ("up", "serve", "migrate", "user", "client", "extension", "app", "switch", "events")


class _Nouns(TyperGroup):
    """Finds a noun's commands in its file."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the nouns, in the order of the help."""
        return list(NOUNS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a noun's command or group of commands; None: there is no such noun."""
        if cmd_name not in NOUNS:
            return None
        found = typer.main.get_command(import_module(f"peal.cli.{cmd_name}").commands)
        found.name = cmd_name
        return found


cli = typer.Typer(
    cls=_Nouns,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback()
def _peal() -> None:
    """One employee, one number, every phone."""


def main() -> None:
    """Run the command line; a failure is told in one line."""
    keep_to_ourselves()
    try:
        cli()
    except Failure as failure:
        sys.stderr.write(f"peal: {failure}\n")
        sys.exit(1)
