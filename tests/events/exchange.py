"""A Peal that delivers, and calls that are told of without a phone."""

import asyncio
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from parts import PEAL, Server, Tenant, look
from sqlalchemy import select

from peal.db.engine import Database
from peal.events import outbox
from peal.events.notice import Notice
from peal.events.tables import delivery

SECONDS = 2
"How long a subscriber may take: less, and one of a busy machine is asked twice."


@dataclass
class Deliverer:
    """A `peal events run`."""

    database: str
    log: Path
    settings: dict[str, str] = field(default_factory=dict)

    def start(self) -> "Deliverer":
        env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": self.database}
        env |= {"PEAL_EVENTS_SECONDS": str(SECONDS), "PEAL_EVENTS_PRIVATE_TARGETS": "127.0.0.0/8"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PEAL, "events", "run", "--json"],
                env=env | self.settings,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.process.stdout.readline(), self.log.read_text()
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(15) == 0, self.log.read_text()
        self.process.stdout.close()

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(15)
        self.process.stdout.close()


@contextmanager
def delivering(database: str, folder: Path, **settings: str) -> Iterator[Deliverer]:
    """A deliverer with settings of its own, by their names in the file; it must stop cleanly."""
    environment = {f"PEAL_{name.upper()}": str(value) for name, value in settings.items()}
    running = Deliverer(database, folder / "deliverer.log", environment).start()
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
    assert "alarm" not in running.log.read_text(), running.log.read_text()


@dataclass
class Calls:
    """Calls of a client, told of directly."""

    server: Server
    tenant: Tenant
    extension_id: int

    def subscribe(
        self, url: str, event_type: str = "hangup", method: str = "POST", extension: int = 0
    ) -> dict:
        body = {"url": url, "event_type": event_type, "method": method}
        of = extension or self.extension_id
        made = self.tenant.api.post(f"/extension/{of}/event/", json=body)
        assert made.status_code == 201, made.text
        return made.json()

    def notice(self, event_type: str = "hangup", call_id: str = "", **more) -> Notice:
        """One of an incoming call, a fresh one if no other is named."""
        call_id = call_id or secrets.token_hex(16)
        at = time.time_ns() // 1000
        seq = {"dial-in": 1, "answer": 3, "hangup": 6}[event_type]
        told = {"EventType": event_type, "EventTime": str(at), "CallID": call_id.upper()}
        told |= {"CallerIDName": "Ann & Böb =?", "Duration": "0"}
        fields = {"client_id": self.tenant.id, "extension_id": self.extension_id, "call_id": call_id}
        fields |= {"seq": seq, "event_type": event_type, "flow": "in", "at": at, "parameters": told}
        return Notice(**fields | more)

    def tell(self, *notices: Notice):
        tell(self.server.database, notices)

    def states(self, subscription: dict) -> list[str]:
        """Of its deliveries, in their order."""
        query = select(delivery.c.state).where(delivery.c.subscription_id == subscription["id"])
        return [row["state"] for row in look(self.server.database, query.order_by(delivery.c.id))[0]]

    def log(self, subscription: dict, **query: str) -> list[dict]:
        """What the API says of its deliveries."""
        path = f"/extension/{self.extension_id}/event/{subscription['id']}/delivery/"
        answer = self.tenant.api.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


def tell(database: str, notices):
    """Tell of calls in one transaction, as the intake does."""

    async def run():
        opened = Database(database, connections=1)
        try:
            async with opened.write() as connection:
                await outbox.tell(connection, notices)
        finally:
            await opened.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, run()).result()
