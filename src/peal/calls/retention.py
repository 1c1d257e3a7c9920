"""How long history is kept."""

from datetime import timedelta

from sqlalchemy import delete, select

from peal.calls.tables import call, call_event
from peal.db.engine import Database
from peal.db.expiry import hourly, in_batches
from peal.kit import dates


async def run(database: Database, days: int) -> None:
    """Delete what is older than so many days, now and every hour, until cancelled; 0: keep all."""
    if days:
        await hourly(lambda: expire(database, days), "history_not_deleted")


async def expire(database: Database, days: int) -> None:
    """Delete calls, and all events, of before so many days."""
    await in_batches(lambda size: _delete(database, days, size))


async def _delete(database: Database, days: int, most: int) -> int:
    before = dates.now() - timedelta(days=days)
    old = select(call_event.c.call_id).where(call_event.c.at < before).distinct().limit(most)
    async with database.write() as connection:
        ids = [row.call_id for row in await connection.execute(old)]
        if ids:
            await connection.execute(delete(call_event).where(call_event.c.call_id.in_(ids)))
            await connection.execute(delete(call).where(call.c.id.in_(ids)))
    return len(ids)
