"""A Peal with its switch, and the people who phone by it."""

import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from parts import NO_TLS, PEAL, Server, Tenant, free_port, status_of, until
from sip.phone import Phone

from peal.cli.switch import FORWARDER_LOCK
from peal.kit.lock import holder
from peal.switch.intake import held

if TYPE_CHECKING:
    from sip.heard import Listener

DOMAIN = "pbx.test"
SOON = 1.5
"How long a change may take to be in force, in seconds."


class Exchange:
    """A `peal serve` and a `peal switch run` over one database."""

    def __init__(self, database: str, folder: Path, under: tuple[str, ...] = (), **settings: str):
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        self.under = under
        "What the command of the switch begins with, see names.py."
        self.control, self.relay_port = free_port(), free_port()
        self.settings = {
            "PEAL_HOME": str(folder),
            "PEAL_SIP_PORT": str(self.port),
            "PEAL_SIP_TLS_PORT": str(self.tls_port),
            "PEAL_CONTROL_PORT": str(self.control),
            "PEAL_RELAY_PORT": str(self.relay_port),
            "PEAL_RING_SECONDS": "3",
            "PEAL_ANSWER_SECONDS": "2",
            "PEAL_TRUNK_SECONDS": "1",
            "PEAL_BUNDLE_LIMIT": "14",
            "PEAL_EVENTS_PRIVATE_TARGETS": "127.0.0.0/8",
            **settings,
        }
        self.api = Server(database, folder / "api.log", self.settings)
        self.log = folder / "switch.log"
        self.listener: Listener | None = None
        "Who hears all offices that are made from now on, if anybody does."
        self.start()

    def run_switch(self):
        env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": self.api.database} | self.settings
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.under, PEAL, "switch", "run"], env=env, stdout=log, stderr=log, start_new_session=True
            )

    def start(self):
        self.run_switch()
        deadline = time.monotonic() + 20
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill_switch()
                self.api.stop()
                raise RuntimeError(self.log.read_text()[-5000:])
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """Whether the switch answers, and has what it needs to route calls."""
        return status_of(f"http://127.0.0.1:{self.control}/health") == 200

    def report(self) -> str:
        """What may tell why something that was to be told was not."""
        spool = held(self.folder / "switch" / "spool.db")
        return f"spool: {spool}; log of the switch:\n{self.log.read_text()[-3000:]}"

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0, self.log.read_text()[-3000:]
        assert self.api.stop() == 0

    def address(self, transport: str = "udp", bind: str = "127.0.0.1", **_) -> tuple[str, int]:
        """Where phones reach the switch, by the options of a `Phone`."""
        return "::1" if ":" in bind else "127.0.0.1", self.tls_port if transport == "tls" else self.port

    def kill_switch(self):
        """As by `kill -9` of the switch, of what watches it, and of the forwarder."""
        if forwarder := self.forwarder_now:
            os.kill(forwarder, signal.SIGKILL)
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    @property
    def forwarder(self) -> int:
        """What forwards call events, as soon as it runs."""
        return until(lambda: self.forwarder_now, 20, self.log.read_text)

    @property
    def forwarder_now(self) -> int | None:
        """The same, if it runs now."""
        return holder(self.folder / "switch" / FORWARDER_LOCK)

    def until_idle(self, seconds: float = 10):
        """Wait until no transaction is left."""
        until(lambda: self.rpc("tm.stats")["result"]["current"] == 0, seconds, self.report)

    @property
    def shared_memory(self) -> int:
        """What the switch uses of it, in bytes."""
        return self.rpc("core.shmmem")["result"]["real_used"]

    def rpc(self, method: str, *params):
        """Ask Kamailio itself."""
        key = (self.folder / "switch" / "control.key").read_text()
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self.post_rpc(key, json=body).json()

    def post_rpc(self, key: str, **request) -> httpx.Response:
        """Ask it something else, or with another key."""
        url = f"http://127.0.0.1:{self.control}/rpc"
        return httpx.post(url, headers={"X-Peal-Key": key}, verify=NO_TLS, **request)


@contextmanager
def exchanging(database: str = "", under: tuple[str, ...] = (), **settings: str) -> Iterator[Exchange]:
    """An exchange over SQLite, if nothing is said; below /tmp, where the switch's user can reach it."""
    with tempfile.TemporaryDirectory(prefix="peal-exchange-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        running = Exchange(database or f"sqlite:///{folder / 'peal.db'}", folder, under, **settings)
        try:
            yield running
        finally:
            running.stop()


@dataclass
class Office:
    """A client of that Peal: 100 with 101 and 102, its bundle; 200 and 201 in none; each with a phone."""

    exchange: Exchange
    stack: ExitStack
    tenant: Tenant = None
    ids: dict[str, int] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.tenant = self.exchange.api.tenant(prefix=secrets.token_hex(4), domain=DOMAIN)
        if self.exchange.listener:
            self.exchange.listener.subscribe(self.tenant)
        for number in ("100", "101", "102", "200", "201"):
            self.extension(number)
        made = self.tenant.bundle(*(self.ids[n] for n in ("100", "101", "102")))
        assert made.status_code == 201, made.text

    def extension(self, number: str, **fields):
        label = {"label": f"Name {number}"} | fields
        self.types[number] = fields.get("type", "phone")
        self.ids[number] = self.tenant.extension(name=number, status="active", **label)
        self.passwords[number] = self.put_phone(number, password="generate")["password"]

    def put_phone(self, number: str, **fields) -> dict:
        answer = self.tenant.api.put(f"/extension/{self.ids[number]}/phone/", json=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put_extension(self, number: str, **fields):
        answer = self.tenant.api.put(f"/client/@me/extension/{self.ids[number]}", json=fields)
        assert answer.status_code == 200, answer.text

    def user(self, number: str) -> str:
        return f"{self.tenant.client['prefix']}*{number}"

    def number(self, extension_id: int | None) -> str | None:
        """The number of one of its extensions; None: it is none."""
        numbers = {made: number for number, made in self.ids.items()}
        return numbers.get(extension_id)

    def registered(self, number: str) -> bool:
        """Whether any phone of the extension is registered, by the switch's own word."""
        found = self.exchange.rpc("ul.lookup", "location", f"{self.user(number)}@{DOMAIN}")
        return "result" in found

    def until_unregistered(self, *numbers: str):
        """Wait as long as a change may take; all these have lost their registrations by then."""
        until(lambda: not any(map(self.registered, numbers)), SOON)

    def phone(self, number: str, *, registered: bool = True, **options) -> Phone:
        """A phone of an extension, gone with the test."""
        options = {"display": f"Phone {number}", "proxy": self.exchange.address(**options)} | options
        made = Phone(self.user(number), self.passwords[number], DOMAIN, **options)
        self.stack.enter_context(made)
        if registered:
            answer = made.register()
            assert answer.status == 200, f"{answer.status} {answer.reason}"
        return made

    def phones(self, *numbers: str) -> list[Phone]:
        return [self.phone(number) for number in numbers]
