"""`peal extension`."""

from typing import Annotated, Any, Literal

import msgspec
import typer

from peal.bundles.tables import bundle
from peal.cli import session
from peal.cli.output import Json, show
from peal.clients import service as clients
from peal.db.work import Work
from peal.extensions import service
from peal.extensions.routes import show as shown
from peal.extensions.schemas import ExtensionCreate, Type
from peal.http.form import read
from peal.http.shape import given

commands = typer.Typer(no_args_is_help=True, add_completion=False, help="Extensions of a client.")


@commands.callback()
def _noun() -> None:
    """Extensions of a client."""


@commands.command()
def create(
    client: Annotated[int, typer.Option(help="Id of the client.")],
    name: Annotated[str, typer.Option(help="Number, with or without the client's prefix.")],
    kind: Annotated[Type, typer.Option("--type")] = "phone",
    chosen_id: session.IdOption = None,
    status: Annotated[Literal["active", "blocked"], typer.Option()] = "blocked",
    database: session.DatabaseOption = None,
    as_json: Json = False,
) -> None:
    """Make an extension."""
    emergency = session.load(database_url=database).emergencies
    body = msgspec.json.encode({"name": name, "type": kind, "status": status})

    async def action(work: Work) -> dict[str, Any]:
        await clients.one(work, client)
        values = given(read(body, ExtensionCreate, clears=False))
        row = await service.create(work, client, values, chosen_id, emergency=emergency)
        if chosen_id is not None:
            await clients.move_sequence(work, bundle)
        return msgspec.structs.asdict(shown(row))

    show(session.transact(database, action), as_json=as_json)
