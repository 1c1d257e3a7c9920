"""What commands share: settings, an event loop, a database that is up to date, one transaction."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer

from peal import settings as settings_module
from peal.cli.output import Failure
from peal.db import url as database_url
from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.db.migrate import SchemaOutdated, migrate, require_current
from peal.db.pooling import PoolerUnfit, require_sessions
from peal.db.work import Actor, Work, writing
from peal.errors import PealError
from peal.kit.files import make_folder
from peal.settings import Settings, SettingsError

T = TypeVar("T")
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database", help="sqlite:///FILE or postgresql://...; default: PEAL_DATABASE_URL."),
]
IdOption = Annotated[int | None, typer.Option("--id", help="An id of your choice.")]


def load(**flags: Any) -> Settings:
    """Return the settings in force, or fail naming the wrong one."""
    try:
        return settings_module.load(flags)
    except SettingsError as error:
        raise Failure(str(error)) from error


def transact(database: str | None, action: Callable[[Work], Awaitable[T]]) -> T:
    """Run `action` in one transaction on an up-to-date database."""
    settings = load(database_url=database)

    async def run() -> T:
        opened = await open_database(settings)
        try:
            async with writing(opened, Actor()) as work:
                return await action(work)
        finally:
            await opened.close()

    return run_loop(run())


def run_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what a user can mend becomes a `Failure`."""
    try:
        return asyncio.run(coroutine)
    except (PealError, PoolerUnfit, SchemaOutdated, SettingsError) as error:
        raise Failure(str(error)) from error
    except (*FAILURES, OSError) as error:
        raise Failure(f"the database: {getattr(error, 'orig', error)}") from error


def on_stop(action: Callable[[], object]) -> None:
    """Have SIGTERM and SIGINT do something, in the loop that runs."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, action)


def connect(settings: Settings) -> Database:
    """Return the database, whatever its schema; a SQLite file's folder is made."""
    if file := database_url.parse(settings.database).file:
        make_folder(file.resolve().parent)
    return Database(settings.database, connections=2)


async def open_database(settings: Settings) -> Database:
    """Open the database; SQLite is brought up to date, PostgreSQL must be."""
    database = connect(settings)
    try:
        if database.is_sqlite:
            await migrate(database)
        else:
            await require_sessions(database.url)
            await require_current(database)
    except BaseException:
        await database.close()
        raise
    return database
