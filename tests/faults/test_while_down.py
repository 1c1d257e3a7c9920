"""Registrations outlive the switch: what changed while it was down holds for them, too."""

import sqlite3
from contextlib import ExitStack, closing

import pytest
from sip.exchange import Exchange, Office, exchanging


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own(request):
    """An exchange that the test may stop, over either database."""
    database = request.getfixturevalue("postgres").database() if request.param == "postgresql" else ""
    with exchanging(database) as running:
        yield running


@pytest.fixture
def office(own):
    with ExitStack() as stack:
        yield Office(own, stack)


def register(office, *numbers):
    """Register a phone of each; whatever was changed before has been read by the switch."""
    office.extension("300")
    office.phones("300", *numbers)
    office.put_extension("300", status="blocked")
    office.until_unregistered("300")


def stop(exchange):
    exchange.process.terminate()
    assert exchange.process.wait(20) == 0


def change(office):
    """Take from 101, 200 and 201 what let their phones in."""
    office.put_phone("101", password="generate")
    office.put_extension("200", status="blocked")
    assert office.tenant.api.delete(f"/client/@me/extension/{office.ids['201']}").status_code < 300


# Break: rows.cfg, POLL_START: begin now, whoever is registered
@pytest.mark.parametrize("end", [stop, Exchange.kill_switch], ids=["stopped", "killed"])
def test_who_lost_the_right_while_the_switch_was_down_is_dropped_at_its_start_and_others_stay(
    own, office, end
):
    register(office, "100", "101", "102", "200", "201")
    end(own)
    change(office)
    own.start()
    office.until_unregistered("101", "200", "201")
    assert office.registered("100")
    assert office.registered("102")


# Break: rows.cfg, POLL_START: without a position begin now
def test_where_the_position_is_not_known_all_of_the_log_is_looked_at(own, office):
    register(office, "101", "200", "201")
    stop(own)
    change(office)
    for file in (own.folder / "switch").glob("position.db*"):
        file.unlink()
    own.start()
    office.until_unregistered("101", "200", "201")


# Break: rows.cfg, POLL_START: take any position for good
def test_a_position_beyond_the_log_as_after_a_backup_was_put_back_is_not_believed(own, office):
    register(office, "101", "200", "201")
    stop(own)
    change(office)
    with closing(sqlite3.connect(own.folder / "switch" / "position.db")) as file, file:
        assert file.execute("UPDATE position SET since = '999999999999'").rowcount == 1
    own.start()
    office.until_unregistered("101", "200", "201")


# Break: rows.cfg, POLL_ROWS: no KEEP_POSITION
def test_a_phone_that_registered_anew_after_a_change_stays_when_the_switch_starts_again(own, office):
    register(office, "101")
    office.passwords["101"] = office.put_phone("101", password="generate")["password"]
    office.until_unregistered("101")
    office.phones("101", "200")
    stop(own)
    office.put_extension("200", status="blocked")
    own.start()
    office.until_unregistered("200")
    assert office.registered("101")
