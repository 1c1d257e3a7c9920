"""The real parts that tests run against: a PostgreSQL cluster, a Peal, a client of its API."""

import asyncio
import itertools
import json
import os
import pwd
import random
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from argon2 import PasswordHasher
from sqlalchemy import Executable, select

from peal.db.engine import Database
from peal.db.tables import metadata
from peal.db.work import Actor, Work, writing
from peal.oauth import service as oauth
from peal.users import service as users
from peal.users.service import NewUser

PEAL = Path(sys.executable).with_name("peal")
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
"Of the newest PostgreSQL that is installed: Debian 12 has 15, Debian 13 has 17."
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"For passwords that nobody will ever show."
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"To be given to httpx, which else reads all certificates of the machine for each client: 40 ms."
SLOW = os.environ.get("SLOW") == "1"
Found = TypeVar("Found")
_ports = itertools.cycle(random.sample(range(2000, 10000), 8000))
"Below those that the kernel gives to whoever names none: what is free now is free a moment later, too."


def until(
    look: Callable[[], Found | None],
    seconds: float = 10,
    report: Callable[[], object] = lambda: "it never happened",
) -> Found:
    """Look again and again until there is something, and return it; `report` tells what is there instead."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, report()
        time.sleep(0.02)
    return found


def answers_until(wanted: Found, ask: Callable[[], Found], seconds: float) -> list[Found]:
    """Ask again and again until the answer is this one; return all answers."""
    answers: list[Found] = []

    def is_it() -> bool:
        answers.append(ask())
        return answers[-1] == wanted

    until(is_it, seconds, lambda: answers)
    return answers


def free_port() -> int:
    """A port that nobody has, over UDP or TCP, and that was not given to others a while ago."""
    while True:
        port = next(_ports)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, suppress(OSError):
            for probe in (tcp, udp):
                probe.bind(("127.0.0.1", port))
            return port


def status_of(url: str) -> int | None:
    """What a GET is answered with; None: not at all."""
    try:
        return httpx.get(url, verify=NO_TLS).status_code
    except httpx.TransportError:
        return None


class Postgres:
    """A cluster of its own, gone with the tests; databases are made from a migrated template."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        if os.getuid() == 0:
            folder.chmod(0o755)
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._run("initdb", "-D", folder / "data", "-U", "peal", "-A", "trust")
        self.start()
        self._sql("CREATE DATABASE template")
        peal(self.url("template"), "migrate")

    def url(self, name: str) -> str:
        return f"postgresql://peal@127.0.0.1:{self.port}/{name}"

    def database(self) -> str:
        name = f"t{secrets.token_hex(6)}"
        self._sql(f"CREATE DATABASE {name} TEMPLATE template")
        return self.url(name)

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1"
        options += " -c unix_socket_directories='' -c max_connections=300"
        log = self.folder / "log"
        self._run("pg_ctl", "-D", self.folder / "data", "-l", log, "-o", options, "-w", "start")

    def stop(self):
        self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "stop")

    def _sql(self, statement: str):
        self._run("psql", "-h", "127.0.0.1", "-p", self.port, "-U", "peal", "-d", "postgres", "-c", statement)

    def _run(self, program: str, *arguments):
        drop = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        command = [*drop, str(POSTGRES / program), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")


@contextmanager
def own_postgres() -> Iterator[Postgres]:
    """A cluster below /tmp, where its user can reach it; the block may stop it."""
    with tempfile.TemporaryDirectory(prefix="peal-pg-") as folder:
        cluster = Postgres(Path(folder))
        try:
            yield cluster
        finally:
            cluster.stop()


def peal(
    database: str, *arguments: str, stdin: str = "", ok: bool = True, settings: dict[str, str] | None = None
) -> dict:
    """Run a command of Peal; return the object it printed."""
    done = subprocess.run(
        [PEAL, *arguments, "--json"],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **(settings or {}), "PEAL_DATABASE_URL": database},
        timeout=60,
    )
    if not ok:
        return {"code": done.returncode, "stderr": done.stderr}
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def look(database: str, *statements: Executable) -> list[list[dict]]:
    """Run statements in one transaction, past the API; return the rows of each."""

    async def run(work):
        done = [await work.execute(statement) for statement in statements]
        return [[dict(row) for row in one.mappings()] if one.returns_rows else [] for one in done]

    return transact(database, run)


def transact(database: str, action: Callable[[Work], Awaitable[Any]]) -> Any:
    """Do something in one transaction, past the API, on a database that is up to date."""

    async def run():
        opened = Database(database, connections=1)
        try:
            async with writing(opened, Actor()) as work:
                return await action(work)
        finally:
            await opened.close()

    with ThreadPoolExecutor(1) as thread:  # this one may run a loop already: Playwright's
        return thread.submit(asyncio.run, run()).result()


def contents(database: str, *, without: tuple[str, ...] = ()) -> dict[str, list[dict]]:
    """Return all rows of all tables."""
    tables = [table for table in metadata.sorted_tables if table.name not in without]
    return dict(
        zip(
            (table.name for table in tables),
            look(database, *(select(table).order_by(*table.primary_key) for table in tables)),
            strict=True,
        )
    )


@dataclass
class Server:
    """A `peal serve` on a free port; made with an administrator."""

    database: str
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    workers: int = 1

    def __post_init__(self):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()
        self.web = httpx.Client(base_url=self.url, timeout=30, verify=NO_TLS)  # without a token
        self.clients = [self.web]
        self.admin = self.api()

    def start(self):
        env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": self.database, "PEAL_GUESS_LIMIT": "100000"}
        env["PYTHONFAULTHANDLER"] = "1"
        command = [PEAL, "serve", "--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=env | self.settings, stdout=log, stderr=log, start_new_session=True
            )
        until(self.is_ready, 30, self.log.read_text)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return status_of(self.url + "/readyz") == 200

    def stop(self) -> int:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(25)
        except subprocess.TimeoutExpired:  # before the service gives up its workers, after 30 s
            os.killpg(self.process.pid, signal.SIGABRT)  # each tells in the log where it stands
            self.process.wait(30)
            raise AssertionError(self.log.read_text()[-10_000:]) from None

    def kill(self):
        """As by `kill -9` of everything: supervisor and workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def api(
        self,
        client: int | None = None,
        *,
        extension: int | None = None,
        access: str = "full",
        application: str = "All",
        rate_limit: int = 0,
    ) -> "Api":
        """A fresh user (an administrator, if of no client) and its application, as a client of the API."""
        login = f"u{secrets.token_hex(6)}"

        async def make(work):
            user = NewUser(login, "a long password", client, extension, access=access)
            await users.create(work, user, CHEAP)
            return await oauth.register(
                work, oauth.NewApplication(login, "Test", access=application, rate_limit=rate_limit)
            )

        made = Api(self, transact(self.database, make))
        self.clients.append(made)
        return made

    def tenant(self, **fields) -> "Tenant":
        """A fresh client with a full user."""
        body = {"name": "Tenant", "prefix": secrets.token_hex(4), "domain": "pbx.test"} | fields
        made = self.admin.post("/admin/client/", json=body)
        assert made.status_code == 201, made.text
        return Tenant(self, made.json(), self.api(made.json()["id"]))


@contextmanager
def serving(database: str, folder: Path, workers: int = 1, **settings: str) -> Iterator[Server]:
    """A Peal with settings of its own, by their names in the file; it must stop cleanly."""
    environment = {f"PEAL_{name.upper()}": str(value) for name, value in settings.items()}
    running = Server(database, folder / "log", environment, workers)
    try:
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.log.read_text()[-3000:]


class Api(httpx.Client):
    """An HTTP client that carries a token; paths start below `/api/ver1.0`."""

    def __init__(self, server: Server, keys: dict):
        self.keys, self.root = keys, server.url
        form = {"grant_type": "client_credentials", **keys}
        self.token = server.web.post("/oauth/token", data=form).json()["access_token"]
        super().__init__(
            base_url=server.url + "/api/ver1.0",
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=30,
            verify=NO_TLS,
        )


@dataclass
class Tenant:
    """A client of Peal, with a user of full access."""

    server: Server
    client: dict
    api: Api
    _next: int = 100

    @property
    def id(self) -> int:
        return self.client["id"]

    def extension(self, **fields) -> int:
        """Make an extension; return its id."""
        self._next += self._next == 112  # an emergency number
        body = {"name": str(self._next), "type": "phone"} | fields
        self._next += 1
        made = self.api.post("/client/@me/extension/", json=body)
        assert made.status_code == 201, made.text
        return made.json()["id"]

    def bundle(self, main: int, *associated: int) -> httpx.Response:
        return self.api.post(f"/client/@me/extensions_bundle/{main}", json={"bundle_list": associated})
