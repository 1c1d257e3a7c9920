"""`kill -9` in a storm of writes: no half-made bundle, and nothing acknowledged is lost."""

import os
import random
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import httpx
import pytest
from parts import NO_TLS, SLOW, Server, look, own_postgres, until
from plain_bundles import Translator
from sqlalchemy import select

from peal.oauth.tables import rate_count

ROUNDS = range(20 if SLOW else 2)


@dataclass
class Write:
    value: object
    sent: float
    ended: float = float("inf")
    acknowledged: bool = False


@dataclass
class Register:
    """Something that is overwritten, always with another value, and all that was written to it."""

    first: object
    writes: list[Write] = field(default_factory=list)

    def write(self, value, ask):
        """Write by `ask()`, which returns the answer; return whether it was acknowledged."""
        entry = Write(value, time.monotonic())
        self.writes.append(entry)
        answer = ask()
        entry.ended = time.monotonic()
        entry.acknowledged = answer.is_success
        return answer

    def may_hold(self, value):
        """Whether `value` can be what is left: written, and not overwritten for sure afterwards."""
        first = Write(self.first, 0, 0, acknowledged=True)
        sure = [write.sent for write in self.writes if write.acknowledged]
        found = [write for write in (first, *self.writes) if write.value == value]
        return any(all(sent <= write.ended for sent in sure) for write in found)

    @property
    def acknowledged(self):
        return sum(write.acknowledged for write in self.writes)


class Storm:
    """Clients that write until told to stop, or until nobody answers; every one keeps its own books."""

    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.tenant = server.tenant()
        self.main, *self.members = (self.tenant.extension() for _ in range(4))
        self.tenant.bundle(self.main, *self.members)
        self.head, *self.joining = (self.tenant.extension() for _ in range(4))
        self.incoming, self.dialling = Register(None), Register(None)
        self.pin, self.list = Register(None), Register(())
        self.made, self.deleted = Register(None), Register(None)
        self.unexpected, self.stop = [], Event()

    def during(self, event):
        """Run the storm; let `event()` happen in its midst, and stop."""
        jobs = [self.limits, self.limits, self.dial_limits, self.pins, self.lists, self.numbers]
        with ThreadPoolExecutor(len(jobs)) as pool:
            running = [pool.submit(self.until_stopped, job) for job in jobs]
            try:
                self.wait_for_writes(60 + self.random.randrange(60))
                time.sleep(self.random.uniform(0, 0.02))  # the moment shall be any
                event()
            finally:
                self.stop.set()
            for job in running:
                job.result()
        assert self.unexpected == []

    def wait_for_writes(self, count):
        wanted = self.acknowledged + count
        until(lambda: self.acknowledged >= wanted, 30)

    @property
    def registers(self):
        return [self.incoming, self.dialling, self.pin, self.list, self.made, self.deleted]

    @property
    def acknowledged(self):
        return sum(register.acknowledged for register in self.registers)

    def until_stopped(self, job):
        headers = self.tenant.api.headers
        with httpx.Client(
            base_url=self.tenant.api.base_url, headers=headers, timeout=30, verify=NO_TLS
        ) as api:
            for step in range(10**9):
                if self.stop.is_set():
                    return
                try:
                    job(api, step)
                except httpx.TransportError:
                    if self.server.process.poll() is not None:
                        return

    def keep(self, register, value, ask):
        answer = register.write(value, ask)
        if not answer.is_success and answer.status_code != 503:
            self.unexpected.append(answer.text)
        return answer

    def limits(self, api, step):
        value = random.randrange(10**6)
        path = f"/extension/{random.choice([self.main, *self.members])}/phone/"
        self.keep(self.incoming, value, lambda: api.put(path, json={"incoming_limit": value}))

    def dial_limits(self, api, step):
        path = f"/client/@me/extension/{random.choice([self.main, *self.members])}"
        self.keep(self.dialling, step, lambda: api.put(path, json={"dial_rule_limit": step}))

    def pins(self, api, step):
        path = f"/extension/{self.head}/phone/"
        self.keep(self.pin, str(step), lambda: api.put(path, json={"conference_pin": str(step)}))

    def lists(self, api, step):
        path = f"/client/@me/extensions_bundle/{self.head}"
        wanted = tuple(random.sample(self.joining, random.randint(1, 3))) if step % 4 else ()
        self.keep(self.list, wanted, lambda: api.post(path, json={"bundle_list": wanted}))

    def numbers(self, api, step):
        """Make an extension and delete it, tied to another when it goes."""
        body = {"name": str(200 + step % 700), "type": "phone", "label": str(step)}
        answer = self.keep(self.made, str(step), lambda: api.post("/client/@me/extension/", json=body))
        if answer.is_success and step % 2:
            path = f"/client/@me/extension/{answer.json()['id']}"
            self.keep(self.deleted, str(step), lambda: api.delete(path))

    def check(self):
        """Nothing half-made, nothing lost."""
        api = self.tenant.api
        everyone = api.get("/client/@me/extension/?per_page=1000").json()
        Translator({str(e["id"]): e["id"] for e in everyone}).observe(api)
        extension = {e["id"]: e for e in everyone}
        phone = api.get(f"/extension/{self.main}/phone/").json()
        assert phone["bundle_list"] == self.members
        assert self.incoming.may_hold(phone["incoming_limit"]), phone["incoming_limit"]
        assert self.dialling.may_hold(extension[self.main]["dial_rule_limit"])
        head = api.get(f"/extension/{self.head}/phone/").json()
        assert self.pin.may_hold(head["conference_pin"]), head["conference_pin"]
        assert self.list.may_hold(tuple(head["bundle_list"])), head["bundle_list"]
        self.check_numbers({e["label"] for e in everyone if e["label"]})

    def check_numbers(self, found):
        made = {w.value for w in self.made.writes if w.acknowledged}
        deleting = {w.value for w in self.deleted.writes}
        deleted = {w.value for w in self.deleted.writes if w.acknowledged}
        assert made - deleting - found == set(), "made, acknowledged and lost"
        assert deleted & found == set(), "deleted, acknowledged and there again"
        assert found <= {w.value for w in self.made.writes}


def test_killing_peal(database, tmp_path):
    peal = Server(database, tmp_path / "log", workers=2)
    try:
        for seed in ROUNDS:
            storm = Storm(peal, seed)
            storm.during(peal.kill)
            peal.start()
            storm.check()
            if database.startswith("sqlite"):
                check_file(database.removeprefix("sqlite:///"))
    finally:
        assert peal.stop() == 0, peal.log.read_text()[-3000:]


def check_file(path):
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.fixture
def mortal():
    """A PostgreSQL cluster that the test may kill."""
    with own_postgres() as cluster:
        yield cluster


def kill_postgresql(cluster):
    """As by `kill -9` of all its processes."""
    lock = cluster.folder / "data" / "postmaster.pid"
    first = int(lock.read_text().split()[0])
    os.kill(first, signal.SIGSTOP)  # so that it makes no more of them, nor tidies up
    listed = subprocess.run(
        ["ps", "--ppid", str(first), "-o", "pid="], capture_output=True, text=True, check=True
    )
    pids = [first, *map(int, listed.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    while any(map(is_running, pids)):
        time.sleep(0.01)
    lock.unlink()  # where init reaps late, the dead one counts as running


def is_running(pid):
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture
def peal(mortal, tmp_path):
    """A Peal over that cluster."""
    settings = {"PEAL_TOKEN_CACHE_SECONDS": "10"}  # who is known stays known while the database is away
    running = Server(mortal.database(), tmp_path / "log", settings)
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


def test_killing_postgresql_under_a_running_peal(mortal, peal):
    for seed in ROUNDS:
        storm = Storm(peal, seed)
        storm.during(lambda storm=storm: kill_and_restart(mortal, peal, storm))
        storm.check()
    again = Storm(peal, "again")
    again.during(lambda: None)
    again.check()


def kill_and_restart(cluster, peal, storm):
    kill_postgresql(cluster)
    answer = peal.web.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "database_unavailable")
    storm.stop.set()  # later writes would hide that earlier ones are lost
    cluster.start()
    assert peal.web.get("/readyz").status_code == 200


def test_nobody_notices_that_postgresql_was_restarted_while_all_slept(mortal, peal):
    tenant = peal.tenant()
    phone = tenant.extension()
    ask = [lambda: tenant.api.get(f"/client/@me/extensions_bundle/{phone}")]
    ask.append(lambda: tenant.api.put(f"/extension/{phone}/phone/", json={"incoming_limit": 1}))
    with ThreadPoolExecutor(16) as pool:
        for _ in "12":
            answers = list(pool.map(lambda i: ask[i % 2](), range(64)))
            assert [answer.text for answer in answers if answer.status_code != 200] == []
            kill_postgresql(mortal)
            mortal.start()
        assert tenant.api.get(f"/extension/{phone}/phone/").json()["incoming_limit"] == 1


def test_the_hourly_limit_counts_on_after_postgresql_was_away(mortal, peal):
    def counted():
        (rows,) = look(peal.database, select(rate_count.c.used))
        return sum(row["used"] for row in rows)

    limited = peal.api(peal.tenant().id, rate_limit=1000)
    limited.get("/client/@me/extension/")
    until(lambda: counted() == 1)
    kill_postgresql(mortal)
    limited.get("/client/@me/extension/")
    until(lambda: "rate_limit_not_merged" in peal.log.read_text())
    mortal.start()
    until(lambda: counted() == 2)
