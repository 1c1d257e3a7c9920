"""Behaviour table, rows 43 and 24: the switch is killed with calls up, and is there again at once."""

import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest
from parts import until
from sip.history import history, past
from sip.story import stories, story
from sip.test_changes import talk
from sip.test_from_the_bundle import bye_by_callee, bye_by_caller
from sip.test_to_the_bundle import ring

DATABASES = ("sqlite", "postgresql")


def kill(exchange):
    """As by `kill -9`; its watcher starts it again."""
    before = pid(exchange)
    os.kill(before, signal.SIGKILL)
    until(lambda: pid(exchange) not in (0, before) and exchange.is_ready())


def pid(exchange):
    file = exchange.folder / "switch" / "kamailio.pid"
    return int(file.read_text() or 0) if file.exists() else 0


def until_kept(exchange, *calls):
    """Wait until the switch has written these calls to its file: it does so every two seconds."""

    def kept():
        with closing(sqlite3.connect(exchange.folder / "switch" / "dialog.db", timeout=5)) as file:
            rows = file.execute("SELECT callid FROM dialog WHERE state = 4").fetchall()
        return {call.call_id for call in calls} <= {row[0] for row in rows}

    until(kept)


def calls_up(exchange):
    with closing(sqlite3.connect(exchange.folder / "switch" / "dialog.db", timeout=5)) as file:
        return file.execute("SELECT callid FROM dialog").fetchall()


# Break: modules.cfg: dialogs kept in memory only (`db_mode` 0).
@pytest.mark.parametrize("end", [bye_by_caller, bye_by_callee])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_row_43_a_call_outlives_the_switch(office, exchange, transport, end):
    one, callee = (office.phone(number, transport=transport) for number in ("101", "200"))
    call, leg = talk(one, "200", callee)
    until_kept(exchange, call)
    kill(exchange)
    if transport == "tcp":  # a connection is gone; the phone comes back, and its call with it
        for phone in (one, callee):
            phone.transport.drop()
            assert phone.register().status == 200
    before = len(callee.received)
    assert call.reinvite(hold=True).status == 200
    assert leg.update().status == 200
    assert leg.info().status == 200
    end(office, call, leg)
    seen = time.monotonic() - call.sent.final.at
    assert callee.leaks("101") == []
    later = [message for message in callee.received[before:] if message.is_request]
    assert {message.address("From").user for message in later} == {"100"}
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("hangup", "from", "from_main", "to", "answered_by") == ("101", "100", "200", "200")
    begun, hung_up = told.one("answer"), told.one("hangup")
    assert hung_up["answered_at"] == begun["answered_at"] == begun["at"]
    lasted = float(hung_up["at"]) - float(hung_up["answered_at"])
    assert abs(lasted - seen) < 0.5
    call = history(office)
    assert call.call[:3] == ("in of 200", "100 calls 200", "answered")
    assert call.legs == ["in 200 answered", "out 100 answered, 101"]
    assert abs(call.shown["bridged_duration"] - seen) <= 1
    assert hung_up["seq"] > begun["seq"]


# Break: cli/switch.py, `_serve`: without `files_open`.
def test_row_43_a_new_switch_never_finds_its_files_while_root_makes_their_logs_anew(exchange):
    before = logs(exchange)
    assert len(before) == 5
    kill(exchange)
    assert logs(exchange) == before


def logs(exchange):
    """The indexes of the logs of the switch's files, each with what it is on the disk."""
    return {file.name: file.stat().st_ino for file in (exchange.folder / "switch").glob("*.db-shm")}


# Break: modules.cfg: `db_mode` 0, so that nobody counts any more.
def test_row_24_a_call_that_is_up_counts_after_a_crash_of_the_switch_until_it_ends(office, exchange):
    office.put_phone("102", incoming_limit=1)
    main, one, two, caller, other = office.phones("100", "101", "102", "200", "201")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].answer()
    assert call.final().status == 200
    until_kept(exchange, call)
    kill(exchange)
    assert other.invite("102").final().status == 486
    assert call.bye().status == 200
    again, legs = ring(other, "100", main, one, two)
    legs[0].answer()
    assert again.final().status == 200
    assert again.bye().status == 200
    assert [each.shown["result"] for each in past(office, 3)] == ["answered", "busy", "answered"]


# Break: call.cfg, REMEMBER: without `dlg_set_property`; alive.cfg: without WE_END (two times of three).
@pytest.mark.slow  # a call that ended just before the crash is found out by asking its phones: 30 s
def test_row_24_a_call_that_had_just_ended_counts_no_more_a_while_after_the_crash(office, exchange):
    office.put_phone("102", incoming_limit=1)
    main, one, two, caller, other = office.phones("100", "101", "102", "200", "201")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].answer()
    assert call.final().status == 200
    until_kept(exchange, call)
    assert call.bye().status == 200
    kill(exchange)
    for phone in (main, one, two):
        phone.on_call = lambda leg: leg.decline(480)
    tried = []

    def gets_through():
        tried.append(other.invite("100"))
        return tried[-1].final().status == 480

    until(gets_through, 50)
    until(lambda: not calls_up(exchange))
    [told] = [each for each in stories(office, 1 + len(tried), 20) if each.all("answer")]
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
