"""How long history is kept."""

import asyncio
from datetime import timedelta

import structlog
from sqlalchemy import delete, select

from peal.calls.tables import call, call_event
from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.kit import dates

log = structlog.get_logger()
BATCH = 500
"""Calls that one transaction deletes: nobody else waits for long."""
PAUSE_SECONDS = 0.1
EVERY_SECONDS = 3600.0


async def run(database: Database, days: int) -> None:
    """Delete what is older than so many days, now and every hour, until cancelled; 0: keep all."""
    while days:
        try:
            await expire(database, days)
        except FAILURES as error:
            log.warning("history_not_deleted", reason=str(error) or type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def expire(database: Database, days: int) -> None:
    """Delete calls, and all events, of before so many days."""
    deleted = BATCH
    while deleted == BATCH:
        deleted = await _delete(database, days)
        await asyncio.sleep(PAUSE_SECONDS)


async def _delete(database: Database, days: int) -> int:
    before = dates.now() - timedelta(days=days)
    old = select(call_event.c.call_id).where(call_event.c.at < before).distinct().limit(BATCH)
    async with database.write() as connection:
        ids = [row.call_id for row in await connection.execute(old)]
        if ids:
            await connection.execute(delete(call_event).where(call_event.c.call_id.in_(ids)))
            await connection.execute(delete(call).where(call.c.id.in_(ids)))
    return len(ids)
