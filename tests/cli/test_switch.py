"""`peal switch`, as an operator uses it: how it is, what it is told anew, where it fails."""

import os
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from parts import peal, until
from sip.exchange import Office, exchanging
from sip.story import story


@pytest.fixture(scope="module")
def own(postgres):
    """An exchange of these tests."""
    with exchanging(postgres.database()) as running:
        yield running


@pytest.fixture
def office(own):
    with ExitStack() as stack:
        yield Office(own, stack)


@pytest.fixture
def settings(own, monkeypatch):
    """The settings of that exchange, for commands; to be changed."""
    for name, value in own.settings.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def switch(own, *arguments, ok=True):
    """Run a command with the settings in force."""
    given = {name: value for name, value in os.environ.items() if name.startswith("PEAL_")}
    return peal(own.api.database, "switch", *arguments, ok=ok, settings=given)


def files(own):
    return {file.name: file.read_text() for file in (own.folder / "switch").glob("*.cfg")}


def test_status_tells_how_it_is(own, office, settings):
    before = switch(own, "status")["registered_phones"]
    *_, callee, caller = office.phones("100", "101", "102", "200", "201")
    callee.on_call = lambda leg: leg.answer()
    call = caller.invite("200", wait=True)
    told = until(lambda: caught_up(switch(own, "status")))
    assert told.pop("pid") == int((own.folder / "switch" / "kamailio.pid").read_text())
    assert told.pop("uptime_seconds") >= 0
    assert told == {"registered_phones": before + 5, "calls_up": 1, "events_rejected": 0}
    call.bye()


def caught_up(told):
    """What the switch says, if it is behind in nothing that it does beside calls."""
    return None if told.pop("poll_age_seconds") > 1 or told.pop("events_waiting") else told


def spooled(own):
    with closing(sqlite3.connect(own.folder / "switch" / "spool.db")) as spool:
        return spool.execute("SELECT count(*) FROM event").fetchone()[0]


def test_status_counts_the_events_that_wait(own, office, settings):
    phone = office.phone("200")
    until(lambda: spooled(own) == 0)  # the forwarder is not stopped while it writes
    os.kill(own.forwarder, signal.SIGSTOP)
    try:
        assert phone.invite("100").final().status == 480
        until(lambda: spooled(own) == 2)
        assert switch(own, "status")["events_waiting"] == 2
    finally:
        os.kill(own.forwarder, signal.SIGCONT)


# Break: node.py, `restart`: `kill` for `terminate`, and dialog's `db_update_period` 60.
def test_a_call_that_is_up_goes_on_over_a_reload(own, office, settings):
    callee, caller = office.phones("200", "101")
    callee.on_call = lambda leg: leg.answer()
    call = caller.invite("200", wait=True)
    leg = callee.expect_invite()
    leg.wait_ack()
    before = switch(own, "status")
    assert (before["calls_up"], before["registered_phones"] >= 2) == (1, True)
    pid = switch(own, "reload")["pid"]
    after = switch(own, "status")
    assert after["pid"] == pid != before["pid"]
    assert (after["calls_up"], after["registered_phones"]) == (1, before["registered_phones"])
    assert leg.bye().status == 200
    assert call.dialog.wait_ended().method == "BYE"
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("hangup", "from", "from_main", "answered_by", "code") == ("101", "100", "200", "200")
    assert callee.leaks("101") == []


def test_a_reload_takes_the_settings_as_they_are_now(own, office, settings):
    settings.setenv("PEAL_MAX_CONTACTS", "1")
    switch(own, "reload")
    office.phone("101")
    office.phone("101")
    assert len(own.rpc("ul.lookup", "location", f"{office.user('101')}@pbx.test")["result"]["Contacts"]) == 1
    settings.delenv("PEAL_MAX_CONTACTS")
    switch(own, "reload")


# Break: cli/switch.py, `reload`: without `_check`.
def test_a_reload_that_kamailio_would_not_take_changes_nothing(own, settings):
    before, pid = files(own), switch(own, "status")["pid"]
    for command in ("reload", "check"):
        refused = switch(own, command, "--database", 'sqlite:////tmp/a"b', ok=False)
        assert refused["code"] == 1
        assert "parse error in config file" in refused["stderr"]
    assert (files(own), switch(own, "status")["pid"]) == (before, pid)
    assert switch(own, "check") == {"valid": True}


@pytest.mark.parametrize("command", ["status", "reload"])
def test_where_no_switch_runs_that_is_said(own, settings, tmp_path, command):
    settings.setenv("PEAL_HOME", str(tmp_path))
    failed = switch(own, command, ok=False)
    assert failed["code"] == 1
    assert failed["stderr"].startswith(f"peal: no switch runs in {tmp_path / 'switch'};")
    assert list(tmp_path.iterdir()) == []


def test_a_switch_that_hangs_is_said_not_to_answer(own, settings):
    pid = switch(own, "status")["pid"]
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in workers:
        os.kill(int(each), signal.SIGSTOP)
    try:
        failed = switch(own, "status", ok=False)
    finally:
        for each in workers:
            os.kill(int(each), signal.SIGCONT)
    assert failed == {"code": 1, "stderr": "peal: the switch does not answer; its log says why\n"}
