"""How long it is remembered what was told, and what became of it."""

from datetime import timedelta

from peal.db.engine import Database
from peal.db.expiry import hourly, in_batches
from peal.events import claims
from peal.kit import dates


async def run(database: Database, days: int) -> None:
    """Delete what is older than so many days, now and every hour, until cancelled; 0: keep all."""
    await hourly(lambda: expire(database, days), "events_not_deleted")


async def expire(database: Database, days: int) -> None:
    """Delete notices of before so many days with their deliveries, and subscribers without a subscription."""
    await in_batches(lambda size: _delete_subscribers(database, size))
    if days:
        await in_batches(lambda size: _delete(database, days, size))


async def _delete_subscribers(database: Database, most: int) -> int:
    async with database.write() as connection:
        return await claims.forget_subscribers(connection, most)


async def _delete(database: Database, days: int, most: int) -> int:
    async with database.write() as connection:
        return await claims.forget(connection, dates.now() - timedelta(days=days), most)
