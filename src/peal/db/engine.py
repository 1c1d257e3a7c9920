"""The database: one engine for SQLite and PostgreSQL, a transaction to write, a connection to read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from peal.db import url as database_url
from peal.db.url import DatabaseUrl

CLOSE_SECONDS = 5
"""How long single reads may take to end when the service stops."""
BUSY_SECONDS = 10
"""How long a writer waits for a lock: on SQLite of another process, on PostgreSQL of another transaction."""


class Database:
    """One database and its pool.

    The pool never overflows: connections opened and closed per request cost two thirds of the
    throughput (docs/decisions/0001-stack.md).
    """

    def __init__(self, url: str, connections: int = 16) -> None:
        self.url = database_url.parse(url)
        self.is_sqlite = self.url.is_sqlite
        self.engine = _engine(self.url, connections)
        self._reading = self.engine.execution_options(peal_read_only=True)
        self._connections = connections
        self.direct: asyncpg.Pool | None = None
        # Writers queue here: in SQLite nobody is sure of a turn, and those who wait for a client's row
        # on PostgreSQL leave connections to those who read.
        self._turns = asyncio.Semaphore(1 if self.is_sqlite else connections - connections // 4)

    @asynccontextmanager
    async def read(self, limit: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection for reading: no transaction on PostgreSQL, a snapshot on SQLite.

        `limit`: as for `write`.
        """
        with _cancelled_as_told():
            async with self._reading.connect() as connection:
                if limit is None or self.is_sqlite:
                    yield connection
                else:
                    with _given_up_after(limit, await driver_of(connection)):
                        yield connection

    @asynccontextmanager
    async def write(self, limit: float | None = None) -> AsyncIterator[AsyncConnection]:
        """Open the transaction of a request: committed when the block ends, rolled back when it raises.

        `limit`: seconds after which a PostgreSQL connection that hangs is given up.
        """
        with _cancelled_as_told():
            async with self._turns:
                if self.is_sqlite:
                    async with self.engine.begin() as connection:
                        yield connection
                else:
                    async with self.engine.connect() as connection:
                        driver = await driver_of(connection)
                        with _given_up_after(limit, driver):
                            async with driver.transaction():
                                yield connection

    async def open_direct(self) -> None:
        """Open the pool of bare driver connections, for the few statements that are measured (PostgreSQL)."""
        if not self.is_sqlite:
            self.direct = await asyncpg.create_pool(
                self.url.for_driver, min_size=1, max_size=self._connections, reset=_keep, init=_read_only
            )

    async def close(self) -> None:
        """Close all connections."""
        if self.direct:
            try:
                await asyncio.wait_for(self.direct.close(), CLOSE_SECONDS)
            except TimeoutError:  # a connection that nobody gives back must not hold up the stop
                self.direct.terminate()
        await self.engine.dispose()


def json_text(value: Any) -> str:
    """Return `value` as it stands in a JSON column."""
    return msgspec.json.encode(value).decode()


async def driver_of(connection: AsyncConnection) -> Any:
    """Return the driver's own connection (asyncpg, aiosqlite); statements on both share a transaction."""
    return (await connection.get_raw_connection()).driver_connection


@contextmanager
def _cancelled_as_told() -> Iterator[None]:
    """Let a cancellation be one.

    Amid a query it comes out of the driver as an error of the connection's; who takes it for the database's,
    and tries again, would never end.
    """
    try:
        yield
    except Exception as error:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise asyncio.CancelledError from error
        raise


@contextmanager
def _given_up_after(limit: float | None, driver: asyncpg.Connection) -> Iterator[None]:
    """Cut the connection off after a time. To cancel what waits makes the driver ask the server again."""
    timer = limit and asyncio.get_running_loop().call_later(limit, driver.terminate)
    try:
        yield
    finally:
        if timer:
            timer.cancel()


async def _read_only(connection: Any) -> None:
    await connection.execute("SET default_transaction_read_only = on")


async def _keep(_connection: asyncpg.Connection) -> None:
    """Single reads leave nothing behind that a connection would have to forget."""


_POSTGRESQL: dict[str, Any] = {
    "isolation_level": "AUTOCOMMIT",  # transactions are the driver's own, see `Database.write`
    "skip_autocommit_rollback": True,
}


def _engine(url: DatabaseUrl, connections: int) -> AsyncEngine:
    to_driver = {} if url.is_sqlite else {"connect_args": {"dsn": url.for_driver}}
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{url.file}" if url.is_sqlite else "postgresql+asyncpg://",
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # they hold hashes of passwords, and an error may be logged
        json_serializer=json_text,
        json_deserializer=msgspec.json.decode,
        **({} if url.is_sqlite else _POSTGRESQL),
        **to_driver,
    )
    if url.is_sqlite:
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    else:
        event.listen(engine.sync_engine, "connect", _prepare_postgresql)
        event.listen(engine.sync_engine, "checkout", _refuse_spoilt)
    return engine


def _refuse_spoilt(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool connect anew where the server has gone since, or a transaction was left open.

    The driver knows both without asking the server. What is written within somebody else's open
    transaction would be acknowledged and lost.
    """
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    """Set by a statement: a pooler refuses at the start of a session what it does not know."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    cursor.close()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS}000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    read_only = connection.get_execution_options().get("peal_read_only")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
