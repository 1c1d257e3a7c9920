"""One Kamailio: its files, its process, and a new one if it dies."""

import asyncio
import os
import pwd
import shutil
import signal
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import structlog

from peal.db import url as database_url
from peal.kit import lock
from peal.settings import Settings, SettingsError
from peal.switch import config

log = structlog.get_logger()
USER = "kamailio"
SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
MODULES = {"location.db": "usrloc", "dialog.db": "dialog", "uac.db": "uac"}
"""Files of Kamailio's modules, with the name of the schema."""
SPOOL = (
    "CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS rejected (id TEXT PRIMARY KEY, body TEXT NOT NULL, reason TEXT NOT NULL)",
)
POSITION = ("CREATE TABLE IF NOT EXISTS position (base TEXT PRIMARY KEY, since TEXT NOT NULL)",)
"""Up to where the poll has read each database's change log."""
OURS = {"spool.db": SPOOL, "position.db": POSITION}
FILES = (*MODULES, *OURS)
SOON_SECONDS = 2.0
"""A switch that dies again sooner than that after its last death is not started at once."""
TOLD_AGAIN_SECONDS, TIMES_TOLD = 1.0, 20
LOCK_FILE = "lock"
"""Held by the process that watches the switch; its id stands in it."""
PID_FILE = "kamailio.pid"


class Node:
    """The switch of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = config.home(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = self._restarting = False

    def take(self) -> None:
        """Have the switch's folder to ourselves until this process ends.

        Raises:
            SettingsError: a folder above it keeps the switch's user out, or another switch runs here; the
                text names it.
        """
        config.make_home(self._settings)
        require_reachable(self._settings)
        if not lock.take(self.folder / LOCK_FILE):
            raise SettingsError(f"home: another `peal switch run` runs in {self.folder}")

    def lay_out(self) -> None:
        """Write configuration and files, readable for the switch's user; a SQLite database must be open."""
        config.write(self._settings)
        for name, schema in MODULES.items():
            _make(self.folder / name, schema)
        for name, tables in OURS.items():
            create(self.folder / name, tables)
        if os.getuid() == 0:
            self._hand_over()

    async def run(self) -> None:
        """Run until `stop`, with `files_open`; whatever ends the switch, it is started again."""
        died = 0.0
        while not self._stopping:
            await self._end_leftovers()
            self._process = await asyncio.create_subprocess_exec(
                *self._command(), cwd=self.folder, env=self._environment()
            )
            if self._stopping:  # since the loop looked
                await _end(self._process)
            code = await self._process.wait()
            if self._restarting:
                self._restarting = False
            elif not self._stopping:
                log.error("switch_died", code=code)
                before, died = died, time.monotonic()
                if died < before + SOON_SECONDS:
                    await asyncio.sleep(SOON_SECONDS)
        await self._end_leftovers()

    @contextmanager
    def files_open(self) -> Iterator[None]:
        """Hold the switch's files open, so that nobody who comes and goes is the last to close one.

        The last removes the log and its index; root, who may be the first to make them anew, owns them for a
        moment, and a switch that opens them just then can't write as long as it lives.
        """
        files = [self.folder / name for name in FILES]
        if database := _sqlite_file(self._settings):
            files.append(database)
        with ExitStack() as stack:
            for file in files:
                opened = stack.enter_context(closing(sqlite3.connect(file)))
                opened.execute("PRAGMA user_version").fetchall()
            yield

    async def restart(self) -> None:
        """Have a new switch take the configuration as it is now; calls that are up go on."""
        if self._process and self._process.returncode is None:
            self._restarting = True
            await _end(self._process)

    async def stop(self) -> None:
        """End the switch; calls that are up go on without it."""
        self._stopping = True
        if self._process:
            await _end(self._process)

    def _command(self) -> list[str]:
        """Return the command; Kamailio is told to stop, too, when this process dies, even by SIGKILL.

        The kernel forgets that when a process changes its user, so it is not Kamailio that does.
        """
        command = ["setpriv", "--pdeathsig", "TERM"]
        if os.getuid() == 0:
            command += ["--reuid", USER, "--regid", USER, "--init-groups"]
        command += [config.PROGRAM, "-f", "kamailio.cfg", "-DD", "-E", "-w", ".", "-Y", ".", "-P", PID_FILE]
        return [*command, *config.arguments(self.folder)]

    def _environment(self) -> dict[str, str]:
        """Return the environment, which also says where the database is: see `_POSTGRESQL_URL`."""
        return {**os.environ, **database_url.parse(self._settings.database).for_libpq}

    async def _end_leftovers(self) -> None:
        """End what an earlier switch of this folder left: its workers outlive it and would keep the port."""
        while left := _running_in(self.folder):
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.01)

    def _hand_over(self) -> None:
        """Started as root: the switch runs as its own user, which must reach its files and the database."""
        account = pwd.getpwnam(USER)
        for file in (self.folder, *self.folder.iterdir()):
            # its user may have put a link there, to what is not its own
            os.chown(file, account.pw_uid, account.pw_gid, follow_symlinks=False)
        if database := _sqlite_file(self._settings):
            _lend(database, account)


def require_reachable(settings: Settings) -> None:
    """Started as root: the switch's user must be able to pass the folders above its own and the database.

    Raises:
        SettingsError: naming one that lets it not.
    """
    if os.getuid() == 0:
        account = pwd.getpwnam(USER)
        _check_reachable(config.home(settings), account)
        if file := _sqlite_file(settings):
            _check_reachable(file, account)


def _sqlite_file(settings: Settings) -> Path | None:
    file = database_url.parse(settings.database).file
    return file and file.resolve()


def watcher(folder: Path) -> int | None:
    """Return the id of the process that watches the switch of this folder; None: nobody does."""
    return lock.holder(folder / LOCK_FILE)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End Kamailio. It forgets a signal that comes while it looks at another: told until it has heard.

    While it loads registrations it hears nothing at all.
    """
    for _ in range(TIMES_TOLD):
        if process.returncode is None:
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), TOLD_AGAIN_SECONDS)
    if process.returncode is None:
        process.kill()
        await process.wait()


def _running_in(folder: Path) -> list[int]:
    """Return the ids of the Kamailio processes that work in this folder."""
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _works_in(each, folder)]


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "comm").read_text() == "kamailio\n" and (process / "cwd").readlink() == folder
    except OSError:  # it has ended, or it is somebody else's
        return False


def _lend(database: Path, account: pwd.struct_passwd) -> None:
    """Let the switch read a SQLite file, and use the index of its log, without which nobody can read.

    Kamailio's own `db_set_readonly` does not do: with it, 5.6 was seen to refuse writing its other files.
    """
    for suffix, mode in (("", 0o640), ("-wal", 0o640), ("-shm", 0o660)):
        file = database.with_name(database.name + suffix)
        shutil.chown(file, group=account.pw_gid)
        file.chmod(mode)


def create(file: Path, tables: Sequence[str]) -> None:
    """Make a file of ours, unless it is there."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for table in tables:
            database.execute(table)


def _make(file: Path, schema: str) -> None:
    if file.exists():
        return
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for name in ("standard", schema):
            database.executescript((SCHEMAS / f"{name}-create.sql").read_text())


def _check_reachable(path: Path, account: pwd.struct_passwd) -> None:
    for folder in reversed(path.parents):
        status = folder.stat()
        bit = (
            0o100 if status.st_uid == account.pw_uid else 0o010 if status.st_gid == account.pw_gid else 0o001
        )
        if not status.st_mode & bit:
            raise SettingsError(
                f"home: the SIP service runs as user {USER}, and {folder} lets nobody else pass;"
                f" `chmod o+x {folder}`, or set PEAL_HOME to another place"
            )
