"""On PostgreSQL a transaction may commit after others that began later: no change is missed or told twice.

Behaviour table, rows 38 and 41. SQLite has one writer, there it can't be."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event

import pytest
from parts import transact
from sip.exchange import Office
from sip.test_changes import in_force
from sqlalchemy import update

from peal.bundles.repository import log_routing
from peal.extensions.tables import extension
from peal.phones.tables import phone

DATABASES = ("postgresql",)


@contextmanager
def held(exchange, change):
    """A transaction that has made a change, and commits it when the block ends."""
    made, release = Event(), Event()

    async def hold(work):
        await change(work)
        made.set()
        await asyncio.to_thread(release.wait)

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(transact, exchange.api.database, hold)
        try:
            assert made.wait(10)
            yield
        finally:
            release.set()
            holding.result()


def name_shown(caller, callee):
    call = caller.invite("201")
    leg = callee.expect_invite()
    leg.decline()
    call.final()
    return leg.invite.address("From").display


@pytest.fixture
def other(exchange):
    """Another client: its changes do not wait for the first one's."""
    with ExitStack() as stack:
        yield Office(exchange, stack)


def until_polled(other):
    """Until the switch has read a change that was made, and committed, after all that came before."""
    caller, callee = other.phones("200", "201")
    assert name_shown(caller, callee) == "Name 200"  # from now on it is only the poll that renews it
    other.put_extension("200", label="Later")
    in_force(lambda: name_shown(caller, callee), "Later")


# Break: config.py, _POSTGRESQL, LOG_PAGE: `pg_snapshot_xmax` for the horizon.
def test_row_38_a_change_that_is_committed_after_a_later_one_is_not_missed(office, other, exchange):
    caller, callee = office.phones("200", "201")
    assert name_shown(caller, callee) == "Name 200"

    async def change(work):
        mine = extension.c.id == office.ids["200"]
        await work.execute(update(extension).where(mine).values(label="Held"))
        await log_routing(work, mine)

    with held(exchange, change):
        until_polled(other)
        assert name_shown(caller, callee) == "Name 200"
    in_force(lambda: name_shown(caller, callee), "Held")


# Break: as 38.
def test_row_41_a_password_that_is_committed_after_a_later_change_drops_the_phone(office, other, exchange):
    one = office.phone("101")

    async def change(work):
        mine = phone.c.extension_id == office.ids["101"]
        await work.execute(update(phone).where(mine).values(ha1_md5="0" * 32))
        await log_routing(work, extension.c.id == office.ids["101"], drop=True)

    with held(exchange, change):
        until_polled(other)
        assert office.registered("101")
    office.until_unregistered("101")
    assert one.register().status == 401


# Break: rows.cfg, CHANGED: phones are dropped whenever the log says so.
def test_row_41_with_the_new_password_a_phone_stays_registered_while_an_older_transaction_is_open(
    office, other, exchange
):
    office.phone("101")

    async def change(work):
        await log_routing(work, extension.c.id == other.ids["102"])

    with held(exchange, change):
        office.passwords["101"] = office.put_phone("101", password="generate")["password"]
        office.until_unregistered("101")
        office.phone("101")
        until_polled(office)  # it has read all since the older transaction again
        assert office.registered("101")
