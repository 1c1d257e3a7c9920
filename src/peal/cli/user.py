"""`peal user`."""

import sys
from typing import Annotated, Literal

import typer

from peal.cli import session
from peal.cli.output import Failure, Json, show
from peal.users import service

commands = typer.Typer(no_args_is_help=True, add_completion=False, help="Users of the API.")


@commands.callback()
def _noun() -> None:
    """Users of the API."""


@commands.command()
def create(
    login: Annotated[str, typer.Option()],
    admin: Annotated[bool, typer.Option("--admin", help="An administrator.")] = False,
    client: Annotated[int | None, typer.Option(help="A user of this client.")] = None,
    extension: Annotated[int | None, typer.Option(help="A user of this extension of the client.")] = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password.")] = False,
    name: Annotated[str | None, typer.Option(help="Default: the login.")] = None,
    email: Annotated[str | None, typer.Option()] = None,
    access: Annotated[Literal["full", "read_only"], typer.Option()] = "full",
    database: session.DatabaseOption = None,
    as_json: Json = False,
) -> None:
    """Make a user; the password comes on stdin, where no process list shows it."""
    if admin == (client is not None):
        raise Failure("give either --admin or --client ID")
    if not password_stdin:
        raise Failure("--password-stdin: the password must come on stdin")
    password = sys.stdin.readline().rstrip("\n")
    new = service.NewUser(login, password, client, extension, name, email, access)
    user_id = session.transact(database, lambda work: service.create(work, new))
    show({"id": user_id, "login": login, "client_id": client, "access": access}, as_json=as_json)
