"""A pooler between Peal and PostgreSQL must keep one server process for one connection (session mode).

In transaction mode each transaction may have another one, and what Peal has prepared or set before is gone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from peal.db.url import DatabaseUrl

SECONDS = 5.0
LOOKS = 3


class PoolerUnfit(Exception):
    """A pooler in transaction or statement mode; the text says what to do."""


async def require_sessions(url: DatabaseUrl) -> None:
    """Check that each of two connections keeps a server process of its own.

    Raises:
        PoolerUnfit: they do not.
        TimeoutError: there were not two connections within 5 s.
        OSError, asyncpg.PostgresError: the database is away, or refuses.
    """
    if url.is_sqlite:
        return
    async with asyncio.timeout(SECONDS), AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(_connection(url.for_driver)) for _ in range(2)]
        for _ in range(LOOKS):
            before = await _server_process(one)
            async with other.transaction():
                taken = await other.fetchval("SELECT pg_backend_pid()")
                after = await _server_process(one)
            if before == taken or before != after:
                raise PoolerUnfit(
                    "database_url: a pooler in transaction mode stands there, which loses what Peal prepares"
                    " and sets in its sessions; set `pool_mode = session` for this database, or name"
                    " PostgreSQL itself"
                )


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(url, statement_cache_size=0)  # a pooler would lose what is kept
    try:
        yield opened
    finally:
        opened.terminate()


async def _server_process(connection: asyncpg.Connection) -> int:
    async with connection.transaction():  # in which even a pooler keeps to one
        return int(await connection.fetchval("SELECT pg_backend_pid()"))
