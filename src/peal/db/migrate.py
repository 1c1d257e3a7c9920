"""Bring a database's schema up to date, or say that it is not."""

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from peal.db.engine import Database

_LOCK = 7_325_001
"""Key of the advisory lock that two migrating processes queue for."""


class SchemaOutdated(Exception):
    """The database's schema is not the one that this version needs."""


def config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, over `connection`."""
    result = Config()
    result.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    result.attributes["connection"] = connection
    return result


async def migrate(database: Database) -> str:
    """Bring the schema up to date in one transaction; return its revision."""
    async with database.write() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL lock_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(lambda sync: command.upgrade(config(sync), "head"))
    return head()


async def require_current(database: Database) -> None:
    """Check the schema.

    Raises:
        SchemaOutdated: naming the command that mends it.
    """
    async with database.read() as connection:
        found = await connection.run_sync(_revision)
    if found != head():
        raise SchemaOutdated(f"the database is at revision {found or 'none'}, not {head()}: run peal migrate")


def head() -> str:
    """Return the newest revision."""
    return str(ScriptDirectory.from_config(config()).get_current_head())


def _revision(connection: Connection) -> Any:
    return MigrationContext.configure(connection).get_current_revision()
