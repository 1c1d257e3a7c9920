"""A unit of work: one transaction, who asked for it, and the rows that every change leaves behind."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Executable, bindparam, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.audit.tables import audit
from peal.db.engine import Database, driver_of
from peal.db.prepared import Prepared
from peal.kit import dates


@dataclass(frozen=True)
class Actor:
    """Who acts: for the audit rows."""

    user_id: int | None = None
    application_id: int | None = None
    request_id: str = "cli"
    address: str = "local"


@dataclass(frozen=True)
class Work:
    """A connection, open for reading or in a transaction, and the actor."""

    connection: AsyncConnection
    actor: Actor
    driver: Any
    """The driver's connection, in the same transaction."""

    async def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, values)

    async def fetch(self, statement: Prepared, **values: Any) -> Sequence[Mapping[str, Any]]:
        """Run a prepared statement; return its rows."""
        if self.on_postgresql:
            return await statement.fetch(self.driver, values)
        result = await self.execute(statement.statement, values)
        return [dict(row) for row in result.mappings()] if result.returns_rows else ()

    @property
    def on_postgresql(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self.connection.dialect.name == "postgresql"

    async def audit(
        self,
        action: str,
        client_id: int | None,
        object_id: int,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> None:
        """Write who changed what; `old` and `new` hold changed fields only, never a secret."""
        await self.fetch(
            _AUDIT,
            at=dates.now(),
            action=action,
            client_id=client_id,
            object_id=object_id,
            old=old,
            new=new,
            user_id=self.actor.user_id,
            application_id=self.actor.application_id,
            request_id=self.actor.request_id,
            address=self.actor.address,
        )


_AUDIT = Prepared(
    insert(audit)
    .inline()
    .values({c.name: bindparam(c.name, type_=c.type) for c in audit.c if c.name != "id"})
)


@asynccontextmanager
async def writing(database: Database, actor: Actor) -> AsyncIterator[Work]:
    """Open the one transaction of a request or command."""
    async with database.write() as connection:
        yield Work(connection, actor, await driver_of(connection))


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Work]:
    """Lend a connection that only reads."""
    async with database.read() as connection:
        yield Work(connection, Actor(), await driver_of(connection))
