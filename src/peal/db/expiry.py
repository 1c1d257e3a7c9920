"""Deleting what is too old: hourly, and in small batches, so that nobody else waits for long."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from peal.db.failures import FAILURES

log = structlog.get_logger()
BATCH = 500
"""What one transaction deletes."""
PAUSE_SECONDS = 0.1
EVERY_SECONDS = 3600.0


async def hourly(expire: Callable[[], Awaitable[None]], warning: str) -> None:
    """Call `expire` now and every hour, until cancelled; log `warning` where the database is away."""
    while True:
        try:
            await expire()
        except FAILURES as error:
            log.warning(warning, reason=str(error) or type(error).__name__)
        await asyncio.sleep(EVERY_SECONDS)


async def in_batches(delete: Callable[[int], Awaitable[int]]) -> None:
    """Call `delete` with the size of a batch until it returns that it has deleted less."""
    deleted = BATCH
    while deleted == BATCH:
        deleted = await delete(BATCH)
        await asyncio.sleep(PAUSE_SECONDS)
