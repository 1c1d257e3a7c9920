"""Trunks in the database."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update

from peal.db.work import Work
from peal.errors import NotFound
from peal.kit.paging import Page
from peal.trunks.tables import trunk

Row = dict[str, Any]


async def one(work: Work, trunk_id: int, *, lock: bool = False) -> Row:
    """Return a trunk's row; `lock`: nobody else writes to it meanwhile.

    Raises:
        NotFound: there is none.
    """
    query = select(trunk).where(trunk.c.id == trunk_id)
    row = (await work.execute(query.with_for_update() if lock else query)).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


async def page(work: Work, wanted: Page) -> list[Row]:
    """Return a page of all trunks."""
    query = select(trunk).order_by(trunk.c.id.desc() if wanted.descending else trunk.c.id)
    rows = await work.execute(query.limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


async def add(work: Work, values: Mapping[str, Any]) -> int:
    """Insert a trunk; return its id."""
    return int((await work.execute(insert(trunk).values(**values).returning(trunk.c.id))).scalar_one())


async def change(work: Work, trunk_id: int, values: Mapping[str, Any]) -> None:
    """Set columns of a trunk."""
    await work.execute(update(trunk).where(trunk.c.id == trunk_id).values(**values))


async def remove(work: Work, trunk_id: int) -> None:
    """Delete a trunk."""
    await work.execute(delete(trunk).where(trunk.c.id == trunk_id))


async def ids_of_client(work: Work, client_id: int) -> Sequence[int]:
    """Return the trunks of a client."""
    return (await work.execute(select(trunk.c.id).where(trunk.c.client_id == client_id))).scalars().all()
