"""`peal client`."""

from typing import Annotated, Any

import msgspec
import typer

from peal.cli import session
from peal.cli.output import Json, show
from peal.clients import service
from peal.clients.schemas import Client, ClientCreate
from peal.clients.tables import client
from peal.db.work import Work
from peal.http.form import read
from peal.http.shape import shape

commands = typer.Typer(no_args_is_help=True, add_completion=False, help="Clients: the tenants.")


@commands.callback()
def _noun() -> None:
    """Clients: the tenants."""


@commands.command()
def create(
    name: Annotated[str, typer.Option()],
    prefix: Annotated[str, typer.Option(help="Prefix of its extensions' names, like 0003.")],
    domain: Annotated[str, typer.Option(help="SIP domain.")],
    chosen_id: session.IdOption = None,
    database: session.DatabaseOption = None,
    as_json: Json = False,
) -> None:
    """Make a client."""
    body = msgspec.json.encode({"name": name, "prefix": prefix, "domain": domain})

    async def action(work: Work) -> dict[str, Any]:
        values = msgspec.structs.asdict(read(body, ClientCreate, clears=False))
        row = await service.create(work, values, chosen_id)
        if chosen_id is not None:
            await service.move_sequence(work, client)
        return msgspec.structs.asdict(shape(row, Client))

    show(session.transact(database, action), as_json=as_json)
