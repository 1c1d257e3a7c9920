"""Outside numbers in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, or_, select, update

from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import NotFound
from peal.extensions.tables import extension
from peal.kit.paging import Page
from peal.numbers.tables import ani, did

Row = dict[str, Any]


def _dids() -> Select[Any]:
    return select(did, client.c.domain).outerjoin(client, client.c.id == did.c.client_id)


async def one(work: Work, did_id: int, client_id: int | None = None) -> Row:
    """Return a number's row, with its client's domain; `client_id`: only if it is that client's.

    Raises:
        NotFound: there is none.
    """
    query = _dids().where(did.c.id == did_id)
    query = query if client_id is None else query.where(did.c.client_id == client_id)
    row = (await work.execute(query)).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


async def named(work: Work, name: str) -> Row | None:
    """Return the row of a number."""
    row = (await work.execute(_dids().where(did.c.name == name))).mappings().first()
    return None if row is None else dict(row)


async def page(work: Work, client_id: int | None, wanted: Page) -> list[Row]:
    """Return a page of the numbers of a client (None: of all)."""
    query = _dids() if client_id is None else _dids().where(did.c.client_id == client_id)
    order = did.c.id.desc() if wanted.descending else did.c.id
    rows = await work.execute(query.order_by(order).limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


async def add(work: Work, values: Mapping[str, Any]) -> int:
    """Insert a number; return its id."""
    return int((await work.execute(insert(did).values(**values).returning(did.c.id))).scalar_one())


async def change(work: Work, did_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a number."""
    await work.execute(update(did).where(did.c.id == did_id).values(**values))


async def remove(work: Work, did_id: int) -> None:
    """Delete a number that no call shows."""
    await work.execute(delete(did).where(did.c.id == did_id))


async def ids_of_client(work: Work, client_id: int) -> Sequence[int]:
    """Return the numbers of a client."""
    return (await work.execute(select(did.c.id).where(did.c.client_id == client_id))).scalars().all()


async def naming(work: Work, extension_id: int) -> list[Row]:
    """Return the numbers that name an extension."""
    theirs = or_(did.c.extension_id == extension_id, did.c.message_extension_id == extension_id)
    return [dict(row) for row in (await work.execute(_dids().where(theirs))).mappings()]


async def has_extension(work: Work, client_id: int, extension_id: int) -> bool:
    """Return whether it is the client's."""
    query = select(extension.c.id).where(extension.c.id == extension_id, extension.c.client_id == client_id)
    return (await work.execute(query)).first() is not None


async def bundle_of(work: Work, extension_id: int) -> int:
    """Return the main extension of an extension's bundle."""
    query = select(extension.c.bundle_id).where(extension.c.id == extension_id)
    return int((await work.execute(query)).scalar_one())


def _holder(client_id: int, extension_id: int | None) -> ColumnElement[bool]:
    return (ani.c.client_id == client_id) & (ani.c.extension_id.is_not_distinct_from(extension_id))


async def shown(work: Work, client_id: int, extension_id: int | None) -> str | None:
    """Return the number that an extension, or (None) a client, has been told to show."""
    return (await work.execute(select(ani.c.number).where(_holder(client_id, extension_id)))).scalar()


async def show(work: Work, client_id: int, extension_id: int | None, number: str, did_id: int | None) -> None:
    """Let an extension, or (None) a client, show a number."""
    await forget(work, client_id, extension_id)
    row = {"client_id": client_id, "extension_id": extension_id, "number": number, "did_id": did_id}
    await work.execute(insert(ani).values(**row))


async def forget(work: Work, client_id: int, extension_id: int | None) -> None:
    """Let it show none of its own."""
    await work.execute(delete(ani).where(_holder(client_id, extension_id)))


async def showing(work: Work, did_id: int) -> list[Row]:
    """Return who shows a number."""
    return [dict(row) for row in (await work.execute(select(ani).where(ani.c.did_id == did_id))).mappings()]
