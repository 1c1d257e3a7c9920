"""What can be done with clients. The caller has opened the transaction."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update

from peal.audit import changes
from peal.bundles import repository as bundles
from peal.bundles.tables import bundle
from peal.catalogue import references
from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import bad_field, client_not_found
from peal.extensions.tables import extension
from peal.kit.paging import Page
from peal.numbers import service as numbers
from peal.trunks import service as trunks


async def one(work: Work, client_id: int) -> dict[str, Any]:
    """Return a client's row."""
    row = (await work.execute(select(client).where(client.c.id == client_id))).mappings().first()
    if row is None:
        raise client_not_found()
    return dict(row)


async def page(work: Work, wanted: Page) -> list[dict[str, Any]]:
    """Return a page of all clients."""
    query = select(client).order_by(client.c.id.desc() if wanted.descending else client.c.id)
    rows = await work.execute(query.limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


async def create(work: Work, values: Mapping[str, Any], client_id: int | None = None) -> dict[str, Any]:
    """Make a client."""
    taken = select(client.c.id).where(
        client.c.domain == values["domain"], client.c.prefix == values["prefix"]
    )
    if (await work.execute(taken)).first():
        raise bad_field("prefix", f"{values['prefix']} is taken in the domain {values['domain']}")
    row = dict(values) if client_id is None else {**values, "id": client_id}
    if (
        client_id is not None
        and (await work.execute(select(client.c.id).where(client.c.id == client_id))).first()
    ):
        raise bad_field("id", f"{client_id} is taken")
    made = int((await work.execute(insert(client).values(**row).returning(client.c.id))).scalar_one())
    await work.audit("client:create", made, made, None, values)
    return await one(work, made)


async def change(work: Work, client_id: int, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields given; all of the client's extensions are routed anew."""
    row = await one(work, client_id)
    values = {name: value for name, value in sent.items() if row[name] != value}
    if not values:
        return row
    await references.check(work, client_id, values)
    await work.execute(update(client).where(client.c.id == client_id).values(**values))
    await work.audit("client:change", client_id, client_id, {name: row[name] for name in values}, values)
    await bundles.log_routing(work, extension.c.client_id == client_id)
    await changes.log(work, "client", client_id, client_id)
    return {**row, **values}


async def remove(work: Work, client_id: int) -> None:
    """Delete a client with all that it has."""
    row = await one(work, client_id)
    await numbers.release_client(work, client_id)
    await trunks.release_client(work, client_id)
    await bundles.log_routing(work, extension.c.client_id == client_id)
    await changes.log(work, "client", client_id, client_id)
    await work.execute(delete(extension).where(extension.c.client_id == client_id))
    await work.execute(delete(bundle).where(bundle.c.client_id == client_id))
    await work.execute(delete(client).where(client.c.id == client_id))
    await work.audit("client:delete", client_id, client_id, {"name": row["name"], "prefix": row["prefix"]})


async def move_sequence(work: Work, table: Table) -> None:
    """Move PostgreSQL's sequence past ids that were given explicitly; SQLite does that by itself."""
    if work.connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        await work.execute(select(func.setval(sequence, func.max(table.c.id))))


async def count(work: Work) -> int:
    """Return how many clients there are."""
    return int((await work.execute(select(func.count()).select_from(client))).scalar_one())
