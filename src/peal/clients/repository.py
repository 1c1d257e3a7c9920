"""Clients in the database."""

from collections.abc import Collection

from sqlalchemy import select

from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import bad_field


async def existing(work: Work, ids: Collection[int], *, lock: bool = False) -> set[int]:
    """Return those of these clients that exist; `lock`: nobody else writes to them meanwhile.

    Several are always locked in the same order: writers wait for each other, but never in a circle.
    """
    query = select(client.c.id).where(client.c.id.in_(ids)).order_by(client.c.id)
    query = query.with_for_update(key_share=True) if lock else query
    return set((await work.execute(query)).scalars())


async def lock_owners(work: Work, wanted: int | None, *, now: int | None = None) -> None:
    """Lock the client that a thing shall belong to, and the one that it belongs to now (None: nobody).

    Raises:
        BadRequest: the wanted one does not exist.
    """
    found = await existing(work, {one for one in (wanted, now) if one is not None}, lock=True)
    if wanted is not None and wanted not in found:
        raise bad_field("client_id", f"{wanted} does not exist")
