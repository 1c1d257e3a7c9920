"""One Kamailio: its files, its process, and a new one if it dies."""

import asyncio
import os
import pwd
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy.engine import make_url

from peal.settings import Settings, SettingsError
from peal.switch import config

log = structlog.get_logger()
USER = "kamailio"
SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
SPOOL = "CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
RESTART_SECONDS = 1.0


class Node:
    """The switch of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = config.home(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    def prepare(self) -> None:
        """Write configuration and files, readable for the switch's user; a SQLite database must be open.

        Raises:
            SettingsError: a folder above them keeps that user out; the text names it.
        """
        config.write(self._settings)
        _make(self.folder / "location.db", "usrloc")
        _make(self.folder / "dialog.db", "dialog")
        with closing(sqlite3.connect(self.folder / "spool.db")) as spool:
            spool.execute("PRAGMA journal_mode=WAL")
            spool.execute(SPOOL)
        if os.getuid() == 0:
            self._hand_over()

    async def run(self) -> None:
        """Run until `stop`; whatever ends the switch, it is started again."""
        while not self._stopping:
            self._process = await asyncio.create_subprocess_exec(*self._command(), cwd=self.folder)
            code = await self._process.wait()
            if not self._stopping:
                log.error("switch_died", code=code)
                await asyncio.sleep(RESTART_SECONDS)

    async def stop(self) -> None:
        """End the switch; calls that are up go on without it."""
        self._stopping = True
        if self._process and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def _command(self) -> list[str]:
        command = ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-w", ".", "-Y", ".", "-P", "kamailio.pid"]
        if os.getuid() == 0:
            command += ["-u", USER, "-g", USER]
        return [*command, "-m", "256", "-M", "16"]

    def _hand_over(self) -> None:
        """Started as root: the switch runs as its own user, which must reach its files and the database."""
        account = pwd.getpwnam(USER)
        self.folder.chmod(0o750)
        for file in (self.folder, *self.folder.iterdir()):
            shutil.chown(file, USER, account.pw_gid)
        paths = [self.folder]
        if self._settings.database.startswith("sqlite"):
            database = Path(str(make_url(self._settings.database).database))
            _lend(database, account)
            paths.append(database)
        for path in paths:
            _check_reachable(path, account)


def _lend(database: Path, account: pwd.struct_passwd) -> None:
    """Let the switch read a SQLite file, and use the index of its log, without which nobody can read.

    Kamailio's own `db_set_readonly` does not do: in version 5.6 it makes its other files read-only, too.
    """
    for suffix, mode in (("", 0o640), ("-wal", 0o640), ("-shm", 0o660)):
        file = database.with_name(database.name + suffix)
        shutil.chown(file, group=account.pw_gid)
        file.chmod(mode)


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
