"""Work that goes on beside other work."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any


async def run_until(stopped: asyncio.Event, *jobs: Coroutine[Any, Any, None]) -> None:
    """Run jobs until `stopped` is set; one that fails ends all.

    Raises:
        ExceptionGroup: of what failed.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        await stopped.wait()
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def beside(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run jobs while the block does; at its end they are cancelled, and waited for one after the other."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
