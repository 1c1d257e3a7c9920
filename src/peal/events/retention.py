"""How long it is remembered what was told, and what became of it."""

import asyncio
from datetime import timedelta

import structlog

from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.events import claims
from peal.kit import dates

log = structlog.get_logger()
BATCH = 500
"""Notices that one transaction deletes: nobody else waits for long."""
PAUSE_SECONDS = 0.1
EVERY_SECONDS = 3600.0


async def run(database: Database, days: int) -> None:
    """Delete what is older than so many days, now and every hour, until cancelled; 0: keep all."""
    while True:
        try:
            await expire(database, days)
        except FAILURES as error:
            log.warning("events_not_deleted", reason=str(error) or type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def expire(database: Database, days: int) -> None:
    """Delete notices of before so many days with their deliveries, and subscribers without a subscription."""
    async with database.write() as connection:
        await claims.forget_subscribers(connection, BATCH)
    deleted = BATCH if days else 0
    while deleted == BATCH:
        async with database.write() as connection:
            deleted = await claims.forget(connection, dates.now() - timedelta(days=days), BATCH)
        await asyncio.sleep(PAUSE_SECONDS)
