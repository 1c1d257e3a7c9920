"""Behaviour row 42: the API or the database is away, or hangs; the phones do not notice, no event is lost."""

import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from threading import Event

import pytest
from faults.half_open import HalfOpen
from faults.test_switch import first, switches
from parts import SLOW, own_postgres, until
from sip.exchange import Exchange, Office, exchanging
from sip.history import over
from sip.story import stories
from sip.test_strangers import told

SECONDS = 30 if SLOW else 4
"How long an outage lasts. After three seconds of silence the switch knows that the database is away."
RATE = 10
"Calls a second."


@pytest.fixture(scope="module")
def cluster():
    """A PostgreSQL cluster of this module's own, which it may stop."""
    with own_postgres() as made:
        yield made


@pytest.fixture
def own(request):
    """An exchange over the database that the outage concerns."""
    sqlite = request.param is locked_sqlite
    with exchanging("" if sqlite else request.getfixturevalue("cluster").database()) as running:
        yield running


@contextmanager
def stopped_postgresql(exchange, cluster):
    cluster.stop()
    try:
        yield
    finally:
        cluster.start()


@contextmanager
def hanging_postgresql(exchange, cluster):
    lead = int((cluster.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(lead, signal.SIGSTOP)  # first, so that it makes no more of them
    listed = subprocess.run(
        ["ps", "--ppid", str(lead), "-o", "pid="], capture_output=True, text=True, check=True
    )
    pids = [*map(int, listed.stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in [lead, *pids]:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def locked_sqlite(exchange, cluster):
    with closing(sqlite3.connect(exchange.folder / "peal.db")) as file:
        file.execute("BEGIN IMMEDIATE")
        yield
        file.rollback()


@contextmanager
def killed_api(exchange, cluster):
    exchange.api.kill()
    try:
        yield
    finally:
        exchange.api.start()


CALL = ("in of 100", "200 calls 100", "answered", "caller_bye")
"What history says of each call of the traffic."
OUTAGES = [stopped_postgresql, hanging_postgresql, locked_sqlite, killed_api]


class Traffic:
    """Calls of 200 to the bundle, one after the other, at most RATE a second; 101 answers."""

    def __init__(self, office):
        self.phones = office.phones("100", "101", "102", "200")
        *self.bundle, self.caller = self.phones
        for phone in self.bundle:
            phone.on_call = lambda leg: leg.ring()
        self.placed = 0
        self.one_call()  # all rows are known now

    def one_call(self):
        call = self.caller.invite("100")
        self.caller.wait(
            lambda: len({r.tag("To") for r in call.sent.responses if r.status == 180}) == 3,
            None,
            "three phones that ring",
        )
        legs = [phone.expect_invite() for phone in self.bundle]
        legs[1].answer()
        assert call.final().status == 200
        assert call.bye().status == 200
        self.placed += 1

    def flow(self, seconds, each=lambda: None):
        began, nobody = time.monotonic(), Event()
        while time.monotonic() < began + seconds:
            self.one_call()
            assert self.phones[self.placed % 4].register().status == 200
            nobody.wait(max(0, began + self.placed / RATE - time.monotonic()))
            each()


def check(office, calls, seconds=20):
    """Each call has been told whole, and nothing twice."""
    for each in stories(office, calls, seconds):
        assert each.kinds == Counter(begin=1, answer=1, hangup=1)
        assert [device for device, _ in each.legs] == ["100", "101", "102"]
        assert [event["seq"] for event in each.events] == list(range(1, len(each.events) + 1))


# Break: events.cfg, SPOOL: write to the database ("r"), not to the spool; rows.cfg, ROW: fetch at each call
@pytest.mark.parametrize(
    ("own", "outage"), [(each, each) for each in OUTAGES], indirect=["own"], ids=[e.__name__ for e in OUTAGES]
)
def test_row_42_phones_call_and_register_as_before_and_no_event_is_lost(own, outage, cluster):
    with ExitStack() as stack:
        office = Office(own, stack)
        traffic = Traffic(office)
        with outage(own, cluster):
            traffic.flow(SECONDS)
        check(office, traffic.placed)
        assert [each.call for each in over(office)] == [CALL] * traffic.placed
        office.put_extension("200", status="blocked")
        until(lambda: not office.registered("200"))
        assert traffic.placed > SECONDS * RATE / 4  # the machine may be busy


# Break: identify.cfg, FAILED: 401 also while the database is away
def test_row_44_while_the_database_is_away_nothing_tells_which_numbers_exist(cluster):
    with exchanging(cluster.database()) as own, ExitStack() as stack:
        office = Office(own, stack)
        office.phones("100")
        office.extension("300")
        with stopped_postgresql(own, cluster):
            phones = {}
            for number in ("999", "100", "300"):
                phone = office.phone("100", registered=False, display="Someone")
                phone.user = phone.login = office.user(number)
                phone.password = "a wrong password"
                phones[number] = phone
            until(lambda: phones["999"].register().status == 503)
            answers = {number: phone.register() for number, phone in phones.items()}
            assert {answer.status for answer in answers.values()} == {503}
            assert len({told(phones[number], answer) for number, answer in answers.items()}) == 1
            for phone in phones.values():
                phone.password = None
            answers = {number: phone.register() for number, phone in phones.items()}
            assert {answer.status for answer in answers.values()} == {401}
            assert len({told(phones[number], answer) for number, answer in answers.items()}) == 1
        phone = office.phone("300", registered=False)
        until(lambda: phone.register().status == 200)


def spooled(exchange):
    with closing(sqlite3.connect(exchange.folder / "switch" / "spool.db", timeout=5)) as file:
        return file.execute("SELECT count(*) FROM event").fetchone()[0]


# Break: node.py, Node.prepare: begin with a new spool
@pytest.mark.parametrize("killed", ["the switch", "the switch and the forwarder", "the forwarder"])
def test_what_is_in_the_spool_outlives_a_kill(cluster, killed):
    with exchanging(cluster.database()) as own, ExitStack() as stack:
        office = Office(own, stack)
        traffic = Traffic(office)
        check(office, 1)
        with stopped_postgresql(own, cluster):
            for _ in range(10):
                traffic.one_call()
            until(lambda: spooled(own) == 10 * 9)
            if killed == "the switch":
                before = switches(own)
                os.kill(first(own), signal.SIGKILL)
                until(lambda: not set(before) & set(switches(own)) and switches(own))
            elif killed == "the forwarder":
                os.kill(own.forwarder, signal.SIGKILL)
            else:
                own.kill_switch()
        if killed == "the switch and the forwarder":
            own.start()
        check(office, traffic.placed)


# Break: events.cfg, SPOOL: drop a batch that was refused (calls are missing), no SPOOL_REFUSES (no alarm)
def test_while_the_disk_of_the_spool_is_full_calls_go_on_and_their_events_come_after():
    with tempfile.TemporaryDirectory(prefix="peal-exchange-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o711)
        disk = folder / "switch"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0750", "peal-spool", disk], check=True)
        stack.callback(lambda: subprocess.run(["umount", disk], check=True))
        own = Exchange(f"sqlite:///{folder / 'peal.db'}", folder)
        stack.callback(own.stop)
        office = Office(own, stack)
        traffic = Traffic(office)
        check(office, 1)
        fill(disk / "filler")
        while "alarm: the spool takes no call events" not in own.log.read_text():
            traffic.one_call()
            assert traffic.placed < 1000
        waiting = re.search(r"(\d+) and a batch wait in memory", own.log.read_text())
        assert waiting
        (disk / "filler").unlink()
        check(office, traffic.placed)


def fill(file):
    """Take all room that is left."""
    with file.open("wb", buffering=0) as filler:
        for size in (65536, 512, 1):
            try:
                while True:
                    filler.write(b"x" * size)
            except OSError:
                continue


# Break: config.py, _LOAD_POSTGRESQL: no timeout; intake.py, Intake._insert: no limit
@pytest.mark.slow
def test_connections_whose_other_end_has_gone_without_a_word_are_given_up(cluster):
    with exchanging(cluster.database()) as own, HalfOpen(cluster.port) as way, ExitStack() as stack:
        own.process.terminate()
        assert own.process.wait(20) == 0
        there = own.api.database.replace(f":{cluster.port}/", f":{way.port}/")
        own.settings = own.settings | {"PEAL_DATABASE_URL": there}
        own.start()
        office = Office(own, stack)
        traffic = Traffic(office)
        check(office, 1)
        way.forget()
        traffic.one_call()
        office.put_extension("200", status="blocked")
        until(lambda: not office.registered("200"), 15)
        check(office, traffic.placed, 40)
