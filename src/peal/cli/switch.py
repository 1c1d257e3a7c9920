"""`peal switch`: the SIP service."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import structlog
import typer

from peal.calls import retention
from peal.cli import session
from peal.cli.child import Child
from peal.cli.output import Failure, Json, show
from peal.db import url as database_url
from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.db.migrate import require_current
from peal.db.pooling import require_sessions
from peal.errors import SwitchUnavailable
from peal.kit import lock
from peal.kit.logs import configure_logs
from peal.kit.tasks import beside, run_until
from peal.settings import Settings, SettingsError
from peal.switch import config, intake
from peal.switch.control import Control
from peal.switch.lost import Lost
from peal.switch.node import PID_FILE, Node, watcher
from peal.switch.relay import Relay

T = TypeVar("T")
log = structlog.get_logger()
DATABASE_SECONDS = 2.0
"""How long the start waits for a PostgreSQL that does not answer."""
RELOAD_SECONDS = 5.0
FORWARDER_LOCK = "forwarder"
"""Held by the process that forwards: two at a time would make one call of two halves of its events."""
LOCK_SECONDS = 0.1
"""Between two looks whether an earlier one has ended."""
commands = typer.Typer(no_args_is_help=True, add_completion=False, help="The SIP service.")


@commands.callback()
def _noun() -> None:
    """The SIP service."""


@commands.command("config")
def write_config(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Write Kamailio's configuration and say where it is."""
    settings = session.load(database_url=database)
    show({"file": str(config.write(settings))}, as_json=as_json)


@commands.command()
def check(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Let Kamailio check the configuration that the settings make; nothing is written."""
    _check(session.load(database_url=database))
    show({"valid": True}, as_json=as_json)


@commands.command()
def status(as_json: Json = False) -> None:
    """Say how the running switch is."""
    settings = session.load()
    folder = _running(settings)[1]
    found = _ask(Control(settings).status())
    pid = _pid(folder)
    show({"pid": pid, **asdict(found), **intake.held(folder / "spool.db")}, as_json=as_json)


@commands.command()
def reload(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Have the running switch take the settings as they are now; calls that are up go on."""
    settings = session.load(database_url=database)
    watching, folder = _running(settings)
    _check(settings)
    before = _pid(folder)
    _permitted(folder, Node(settings).lay_out)
    os.kill(watching, signal.SIGHUP)
    _ask(_back(Control(settings), lambda: _pid(folder) != before))
    show({"pid": _pid(folder)}, as_json=as_json)


@commands.command()
def run(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Run Kamailio, what relays media and what forwards call events, until SIGTERM or SIGINT.

    SIGHUP: a new Kamailio.
    """
    settings = session.load(database_url=database)
    configure_logs()
    session.run_loop(_serve(settings, as_json=as_json))


@commands.command()
def forward(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Forward the call events of this machine's switch to the database, until SIGTERM; `run` does run it."""
    settings = session.load(database_url=database)
    configure_logs()
    session.run_loop(_forward(settings, as_json=as_json))


async def _serve(settings: Settings, *, as_json: bool) -> None:
    node, loop = Node(settings), asyncio.get_running_loop()
    session.on_stop(lambda: loop.create_task(node.stop()))
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(node.restart()))
    node.take()
    database = await _open(settings)  # that the switch finds one, up to date
    with ExitStack() as stack:
        try:
            node.lay_out()
            stack.enter_context(node.files_open())
        finally:
            await database.close()
        show({"sip": ", ".join(config.addresses(settings))}, as_json=as_json)
        await _run(settings, node)


async def _run(settings: Settings, node: Node) -> None:
    """Run the node and what belongs to it, each a process: whichever dies, the others go on."""
    forwarder, relay = Child(settings, "switch", "forward"), Relay(settings)
    forwarder.start()
    try:
        async with beside(relay.run()):
            await relay.ready()
            await node.run()
    finally:
        await asyncio.to_thread(forwarder.stop)


async def _forward(settings: Settings, *, as_json: bool) -> None:
    folder, stopped = config.home(settings), asyncio.Event()
    session.on_stop(stopped.set)
    spool = folder / "spool.db"
    if not spool.exists():
        raise Failure(f"there is no switch in {folder}; `peal switch run` makes it, and runs the forwarder")
    await _alone(folder / FORWARDER_LOCK, stopped)
    database = await _open(settings)
    try:
        show({"forwards_from": str(spool)}, as_json=as_json)
        await run_until(
            stopped,
            intake.Intake(spool, database).run(),
            Lost(spool, database, Control(settings)).run(),
            retention.run(database, settings.history_days),
        )
    finally:
        await database.close()


async def _alone(file: Path, stopped: asyncio.Event) -> None:
    """Wait until no other process has the lock; or until this one is to stop."""
    if lock.take(file):
        return
    log.warning("forwarder_waits", other=lock.holder(file))
    while not stopped.is_set() and not lock.take(file):
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), LOCK_SECONDS)


async def _open(settings: Settings) -> Database:
    """Open the database. PostgreSQL may be away: until it comes the switch answers 503, events wait."""
    if database_url.parse(settings.database).is_sqlite:
        return await session.open_database(settings)
    database = session.connect(settings)
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await require_sessions(database.url)
            await require_current(database)
    except FAILURES as error:  # a time-out is an OSError
        log.warning("database_away", reason=str(error))
    except BaseException:
        await database.close()
        raise
    return database


def _check(settings: Settings) -> None:
    try:
        config.check(settings)
    except (config.Invalid, SettingsError) as error:
        raise Failure(str(error)) from error


def _running(settings: Settings) -> tuple[int, Path]:
    """Return who watches the switch, and its folder; fail if none runs."""
    folder = config.home(settings)
    found = _permitted(folder, lambda: watcher(folder))
    if found is None:
        raise Failure(f"no switch runs in {folder}; `peal up` or `peal switch run` starts it")
    return found, folder


def _permitted(folder: Path, action: Callable[[], T]) -> T:
    try:
        return action()
    except PermissionError as error:
        raise Failure(f"{folder}: only root and the user that runs the switch may do this") from error


def _pid(folder: Path) -> int | None:
    """Return the id of Kamailio's first process; None while it starts."""
    with suppress(FileNotFoundError):
        return int((folder / PID_FILE).read_text() or 0) or None
    return None


def _ask(question: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(question)
    except SwitchUnavailable as error:
        raise Failure("the switch does not answer; its log says why") from error


async def _back(control: Control, is_new: Callable[[], bool]) -> None:
    """Wait for a switch that has begun anew, and for its routing data, unless the database is away.

    Raises:
        SwitchUnavailable: none answered in time.
    """
    answered = False
    with suppress(TimeoutError):
        async with asyncio.timeout(RELOAD_SECONDS):
            while True:
                with suppress(SwitchUnavailable):
                    if is_new() and (await control.status()).poll_age_seconds is not None:
                        return
                    answered = is_new()
                await asyncio.sleep(0.02)
    if not answered:
        raise SwitchUnavailable()
