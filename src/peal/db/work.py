"""A unit of work: one transaction, who asked for it, and the rows that every change leaves behind."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Executable, Select, insert, literal_column
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.audit.tables import audit, change_log
from peal.db.engine import Database


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

    async def execute(self, statement: Executable, values: Any = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self.connection.execute(statement, values)

    async def audit(
        self,
        action: str,
        client_id: int | None,
        object_id: int,
        old: Mapping[str, Any] | None = None,
        new: Mapping[str, Any] | None = None,
    ) -> None:
        """Write who changed what; `old` and `new` hold changed fields only, never a secret."""
        row = {"action": action, "client_id": client_id, "object_id": object_id, "old": old, "new": new}
        actor = {
            "user_id": self.actor.user_id,
            "application_id": self.actor.application_id,
            "request_id": self.actor.request_id,
            "address": self.actor.address,
        }
        await self.execute(insert(audit), row | actor)

    async def routing_changed(self, rows: Select[Any]) -> None:
        """Write one change-log row per row selected: `client_id`, `extension_id`, `number`, `domain`."""
        columns = ["client_id", "extension_id", "number", "domain"]
        if self.connection.dialect.name == "postgresql":
            rows, columns = rows.add_columns(_CURRENT_XID), [*columns, "xid"]
        await self.execute(insert(change_log).from_select(columns, rows))


_CURRENT_XID: ColumnElement[int] = literal_column("pg_current_xact_id()::text::bigint")


@asynccontextmanager
async def writing(database: Database, actor: Actor) -> AsyncIterator[Work]:
    """Open the one transaction of a request or command."""
    async with database.write() as connection:
        yield Work(connection, actor)


@asynccontextmanager
async def reading(database: Database) -> AsyncIterator[Work]:
    """Lend a connection that only reads."""
    async with database.read() as connection:
        yield Work(connection, Actor())
