"""Extensions in the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, delete, insert, select, update

from peal.bundles.fields import DEFAULTS, SYNCHRONISED
from peal.bundles.tables import bundle
from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import extension_not_found
from peal.extensions.tables import extension
from peal.kit.numbers import full_name
from peal.kit.paging import Page
from peal.numbers.tables import ani
from peal.phones.tables import phone

_SHARED = [bundle.c[field.name] for field in SYNCHRONISED if field.resource == "extension"]
_ANI = select(ani.c.number).where(ani.c.extension_id == extension.c.id).scalar_subquery()


def _query() -> Select[Any]:
    return (
        select(extension, *_SHARED, client.c.prefix, client.c.domain, _ANI.label("ani"))
        .join(bundle, bundle.c.id == extension.c.bundle_id)
        .join(client, client.c.id == extension.c.client_id)
    )


async def one(work: Work, extension_id: int) -> dict[str, Any]:
    """Return an extension with its synchronised fields, its client's prefix and domain.

    Raises:
        NotFound: it was deleted a moment ago.
    """
    row = (await work.execute(_query().where(extension.c.id == extension_id))).mappings().first()
    if row is None:
        raise extension_not_found()
    return dict(row)


async def page(
    work: Work, client_id: int | None, filters: Mapping[str, Any], wanted: Page
) -> list[dict[str, Any]]:
    """Return a page of extensions of a client (None: of all); `filters`: `id`, `type`, `status`, `name`."""
    query = _query() if client_id is None else _query().where(extension.c.client_id == client_id)
    for name, value in filters.items():
        if name == "name":
            prefix, star, number = value.rpartition("*")
            query = query.where(extension.c.number == number)
            query = query.where(client.c.prefix == prefix) if star else query
        else:
            query = query.where((bundle if name == "status" else extension).c[name] == value)
    order = extension.c.id.desc() if wanted.descending else extension.c.id
    rows = await work.execute(query.order_by(order).limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


def sip_address(row: Mapping[str, Any]) -> str:
    """Return the address that phones register, `0003*101@domain`, of a row of `one` or `page`."""
    return f"{full_name(row['prefix'], row['number'])}@{row['domain']}"


async def client_numbering(work: Work, client_id: int) -> tuple[str, str, int]:
    """Return a client's prefix, domain and number of digits."""
    query = select(client.c.prefix, client.c.domain, client.c.extension_len).where(client.c.id == client_id)
    row = (await work.execute(query)).one()
    return row.prefix, row.domain, row.extension_len


async def number_taken(work: Work, client_id: int, number: str) -> bool:
    """Return whether the client has an extension of this short number."""
    query = select(extension.c.id).where(extension.c.client_id == client_id, extension.c.number == number)
    return (await work.execute(query)).first() is not None


async def id_taken(work: Work, extension_id: int) -> bool:
    """Return whether an extension of any client has this id."""
    return (await work.execute(select(bundle.c.id).where(bundle.c.id == extension_id))).first() is not None


async def add(
    work: Work, client_id: int, own: Mapping[str, Any], shared: Mapping[str, Any], extension_id: int | None
) -> int:
    """Insert an extension that stands alone; return its id."""
    row = {"client_id": client_id, "type": own["type"], **DEFAULTS, **shared}
    if extension_id is not None:
        row["id"] = extension_id
    new_id = int((await work.execute(insert(bundle).values(**row).returning(bundle.c.id))).scalar_one())
    await work.execute(insert(extension).values(id=new_id, bundle_id=new_id, client_id=client_id, **own))
    if own["type"] == "phone":
        await work.execute(insert(phone).values(extension_id=new_id, client_id=client_id))
    return new_id


async def change(work: Work, extension_id: int, own: Mapping[str, Any]) -> None:
    """Update the extension's own columns."""
    await work.execute(update(extension).where(extension.c.id == extension_id).values(**own))


async def remove(work: Work, extension_id: int) -> None:
    """Delete an extension that stands alone, with all that hangs on it."""
    await work.execute(delete(extension).where(extension.c.id == extension_id))
    await work.execute(delete(bundle).where(bundle.c.id == extension_id))
