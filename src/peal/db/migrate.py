"""Bring a database's schema up to date, or say that it is not.

Alembic is loaded only where there is something to do: it would be a third of each command's start.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from peal.db.engine import Database

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 7_325_001
"""Key of the advisory lock that two migrating processes queue for."""


class SchemaOutdated(Exception):
    """The database's schema is not the one that this version needs."""


def config(connection: Connection | None = None) -> "Config":
    """Return Alembic's configuration, over `connection`."""
    from alembic.config import Config

    result = Config()
    result.set_main_option("script_location", str(MIGRATIONS))
    result.attributes["connection"] = connection
    return result


async def migrate(database: Database) -> str:
    """Bring the schema up to date in one transaction; return its revision."""
    if await _revision(database) != head():
        async with database.write() as connection:
            if not database.is_sqlite:
                await connection.execute(text("SET LOCAL lock_timeout = 0"))
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_upgrade)
    return head()


async def require_current(database: Database) -> None:
    """Check the schema.

    Raises:
        SchemaOutdated: naming the command that mends it.
    """
    found = await _revision(database)
    if found != head():
        raise SchemaOutdated(f"the database is at revision {found or 'none'}, not {head()}: run peal migrate")


def head() -> str:
    """Return the newest revision: the number that its file's name begins with."""
    return max(file.name for file in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _upgrade(connection: Connection) -> None:
    from alembic import command

    command.upgrade(config(connection), "head")


async def _revision(database: Database) -> Any:
    async with database.read() as connection:
        return await connection.run_sync(_version)


def _version(connection: Connection) -> Any:
    """Return the revision that Alembic has noted in the database; None: it has none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))
