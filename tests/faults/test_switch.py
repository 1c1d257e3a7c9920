"""The switch and its watcher, killed: it is there again at once, and what is left behind keeps no port."""

import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event

import pytest
from parts import PEAL, Postgres, status_of, until
from sip.exchange import Exchange, Office, exchanging
from sip.lines import outside_of
from sip.story import stories

from peal.switch.node import SOON_SECONDS


@pytest.fixture
def own(postgres):
    """An exchange that the test may kill."""
    with exchanging(postgres.database()) as running:
        yield running


def switches(exchange):
    """The Kamailio processes of an exchange."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == exchange.folder / "switch":
                name = (process / "comm").read_text().strip()
                found += [int(process.name)] if name == "kamailio" else []
        except OSError:
            continue
    return found


def answers(exchange):
    """Whether it answers at all, with or without routing data."""
    return status_of(f"http://127.0.0.1:{exchange.control}/health") is not None


def first(exchange):
    return int((exchange.folder / "switch" / "kamailio.pid").read_text())


# Break: node.py, `run`: the pause after every death.
def test_a_killed_switch_is_there_again_at_once_though_its_workers_live_on(own):
    before = set(switches(own))
    os.kill(first(own), signal.SIGKILL)
    until(lambda: set(switches(own)) - before, SOON_SECONDS / 2)
    until(lambda: not before & set(switches(own)) and own.is_ready())
    with ExitStack() as stack:
        Office(own, stack).phone("200")


# Break: request.cfg, BEGIN: without its first line: 407, for the trunks are not known yet.
def test_calls_from_outside_that_come_while_the_switch_starts_ring_as_soon_as_it_knows_its_trunks(own):
    with ExitStack() as stack:
        office = Office(own, stack)
        outside = stack.enter_context(outside_of(office))
        line, did = outside.line(), outside.number("200")
        line.phone.patience = 40
        office.phone("200").on_call = lambda leg: leg.decline(486)
        outside.settle()
        own.kill_switch()
        own.run_switch()
        calls, nobody = [], Event()
        while not own.is_ready():
            calls.append(line.phone.invite(did))
            nobody.wait(0.05)
        assert [call.final().status for call in calls] == [486] * len(calls)


def test_no_switch_and_no_forwarder_outlives_its_watcher(own):
    assert own.forwarder
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait(10)
    until(lambda: switches(own) == [] and own.forwarder_now is None)
    own.start()


# Break: cli/switch.py, `_serve`: the intake beside the relay, as a task of the watcher's.
def test_the_switch_outlives_its_forwarder(own):
    with ExitStack() as stack:
        office = Office(own, stack)
        callee, caller = office.phones("200", "101")
        callee.on_call = lambda leg: leg.answer()
        before, killed = switches(own), own.forwarder
        os.kill(killed, signal.SIGKILL)
        call = caller.invite("200", wait=True)
        assert call.bye().status == 200
        assert switches(own) == before
        [told] = stories(office, 1, 20)  # another forwarder begins after a pause
        assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
        assert own.forwarder != killed


# Break: cli/switch.py, `_forward`: without `_alone`.
def test_a_second_forwarder_waits_for_the_end_of_the_first(own):
    first_one = own.forwarder
    env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": own.api.database} | own.settings
    second = subprocess.Popen([PEAL, "switch", "forward"], env=env, stderr=subprocess.PIPE, text=True)
    try:
        waits = json.loads(second.stderr.readline())
        assert (waits["event"], waits["other"]) == ("forwarder_waits", first_one)
        os.kill(first_one, signal.SIGKILL)
        until(lambda: own.forwarder_now == second.pid)  # sooner than the watcher starts another
    finally:
        second.terminate()
        second.stderr.close()
        assert second.wait(10) == 0
    assert own.forwarder not in (first_one, second.pid)


def test_workers_that_outlived_both_are_ended_at_the_next_start(own):
    workers = set(switches(own)) - {first(own)}
    os.kill(own.process.pid, signal.SIGSTOP)
    os.kill(first(own), signal.SIGKILL)
    os.kill(own.process.pid, signal.SIGKILL)
    own.process.wait(10)
    assert workers & set(switches(own))
    own.start()  # may hear the health of the old ones
    until(lambda: not workers & set(switches(own)) and own.is_ready(), report=own.report)


def test_a_second_switch_in_the_same_folder_refuses_to_start(own):
    before = set(switches(own))
    env = {"PATH": os.environ["PATH"], "PEAL_DATABASE_URL": own.api.database} | own.settings
    second = subprocess.run(
        [PEAL, "switch", "run"], env=env, capture_output=True, text=True, check=False, timeout=20
    )
    assert second.returncode != 0
    assert "another `peal switch run`" in second.stderr
    assert set(switches(own)) == before


def test_while_the_spool_is_locked_calls_go_on_and_their_events_come_after(own):
    """More events than one batch takes: the first batch is tried again, the others wait in the queue."""
    calls = 60
    with ExitStack() as stack, closing(sqlite3.connect(own.folder / "switch" / "spool.db")) as spool:
        office = Office(own, stack)
        *phones, caller = office.phones("100", "101", "102", "200")
        for phone in phones:
            phone.on_call = lambda leg: leg.decline(480)
        spool.execute("BEGIN IMMEDIATE")
        for _ in range(calls):
            assert caller.invite("100").final().status == 480
        spool.rollback()
        told = stories(office, calls)
    assert {len(each.legs) for each in told} == {3}
    assert all(each.one("hangup")["code"] == "480" for each in told)


# Break: files.cfg, FILES: without busy_timeout.
def test_a_phone_registers_though_another_process_is_writing_the_registrations(own):
    with ExitStack() as stack, closing(sqlite3.connect(own.folder / "switch" / "location.db")) as file:
        office = Office(own, stack)
        office.phone("100")
        phone = office.phone("200", registered=False)
        file.execute("BEGIN IMMEDIATE")
        answer = phone.start_register()
        with pytest.raises(AssertionError, match="final response"):
            answer.wait(0.3)
        file.rollback()
        assert answer.wait().status == 200


# Break: modules.cfg: no timer runs DIALOGS.
def test_a_call_that_is_over_leaves_the_file_though_another_process_is_writing_it(own):
    with ExitStack() as stack, closing(sqlite3.connect(own.folder / "switch" / "dialog.db")) as file:
        office = Office(own, stack)
        callee, caller = office.phones("100", "200")
        callee.on_call = lambda leg: leg.answer()
        call = caller.invite("100")
        assert call.final().status == 200

        def kept():
            return file.execute("SELECT callid FROM dialog").fetchall()

        until(lambda: kept() == [(call.call_id,)])
        assert call.bye().status == 200
        file.execute("BEGIN IMMEDIATE")
        time.sleep(1.5)  # it is removed each second
        file.rollback()
        until(lambda: not kept(), 3)  # the dialog module would not try before tm has forgotten the call


# Break: modules.cfg: usrloc's `db_mode` 2.
def test_a_registration_that_the_file_did_not_take_is_refused_and_in_it_when_the_phone_has_asked_again(own):
    with ExitStack() as stack, closing(sqlite3.connect(own.folder / "switch" / "location.db")) as file:
        office = Office(own, stack)
        phone = office.phone("200", registered=False, patience=15)
        file.execute("BEGIN IMMEDIATE")
        assert phone.register().status == 500
        file.rollback()
        assert phone.register().status == 200
        kept = file.execute("SELECT username FROM location").fetchall()
        assert kept == [(office.user("200"),)]


def test_it_starts_while_postgresql_is_away_and_is_good_soon_after_it_has_come():
    with ExitStack() as stack:
        pg, home = (Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="peal-"))) for _ in range(2))
        home.chmod(0o711)
        cluster = Postgres(pg)
        stack.callback(cluster.stop)
        exchange = Exchange(cluster.database(), home)
        stack.callback(exchange.stop)
        phone = Office(exchange, stack).phone("200")
        exchange.process.terminate()
        assert exchange.process.wait(20) == 0
        cluster.stop()
        exchange.run_switch()
        until(lambda: answers(exchange) and phone.register().status == 503)
        cluster.start()
        came = time.monotonic()
        until(lambda: phone.register().status == 200)
        assert time.monotonic() < came + 3
