"""The command `peal`: one file per noun."""

import sys

import typer

from peal.cli import app, client, events, extension, migrate, serve, switch, up, user
from peal.cli.output import Failure

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One employee, one number, every phone.",
)
cli.command("up")(up.up)
cli.command("serve")(serve.serve)
cli.command("migrate")(migrate.migrate_command)
cli.add_typer(user.commands, name="user")
cli.add_typer(client.commands, name="client")
cli.add_typer(extension.commands, name="extension")
cli.add_typer(app.commands, name="app")
cli.add_typer(switch.commands, name="switch")
cli.add_typer(events.commands, name="events")


def main() -> None:
    """Run the command line; a failure is told in one line."""
    try:
        cli()
    except Failure as failure:
        sys.stderr.write(f"peal: {failure}\n")
        sys.exit(1)
