"""`peal app`."""

from typing import Annotated, Literal

import typer

from peal.cli import session
from peal.cli.output import Json, show
from peal.oauth import service

commands = typer.Typer(no_args_is_help=True, add_completion=False, help="Applications that get tokens.")


@commands.callback()
def _noun() -> None:
    """Applications that get tokens."""


@commands.command()
def create(
    login: Annotated[str, typer.Option(help="The user that the application acts as.")],
    name: Annotated[str, typer.Option()],
    kind: Annotated[Literal["trusted", "public", "password_credentials"], typer.Option("--type")] = "trusted",
    access: Annotated[Literal["All", "Call API"], typer.Option()] = "All",
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Requests per hour; 0 = no limit.")] = None,
    redirect_url: Annotated[str, typer.Option(help="Space separated.")] = "",
    database: session.DatabaseOption = None,
    as_json: Json = False,
) -> None:
    """Register an application, as an administrator may; the secret is shown once."""
    new = service.NewApplication(login, name, kind, access, rate_limit, redirect_url)
    keys = session.transact(database, lambda work: service.register(work, new))
    show(keys, as_json=as_json)
