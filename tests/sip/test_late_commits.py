"""On PostgreSQL a transaction may commit after others that began later: no change is missed or told twice.

Behaviour table, rows 38 and 41. SQLite has one writer, there it can't be."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from threading import Event

import pytest
from parts import transact
from sip.exchange import Office
from sip.lines import Outside
from sip.test_changes import in_force
from sip.test_restart import kill
from sqlalchemy import text, update

from peal.bundles.repository import log_routing
from peal.extensions.tables import extension
from peal.phones.tables import phone

DATABASES = ("postgresql",)
RULES = "CREATE OR REPLACE VIEW sip_rules AS SELECT id, posix_rules{} AS val FROM dial_rule"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


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
        await log_routing(work, extension.c.id == office.ids["101"])

    with held(exchange, change):
        until_polled(other)
        assert office.registered("101")
    office.until_unregistered("101")
    assert one.register().status == 401


# Break: rows.cfg, CHANGED: all phones of a changed row are dropped.
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


# Break: register.cfg: without `$bf`, so that nothing tells which password a phone came with.
def test_row_43_with_the_new_password_a_phone_stays_over_a_crash_while_an_older_transaction_is_open(
    office, other, exchange
):
    async def change(work):
        await log_routing(work, extension.c.id == other.ids["102"])

    with held(exchange, change):
        office.passwords["101"] = office.put_phone("101", password="generate")["password"]
        office.phone("101")
        until_polled(office)
        kill(exchange)
        until_polled(other)
        assert office.registered("101")


@contextmanager
def slow_pages(exchange):
    """A switch that needs a second for each page of the change log that holds a list of dial rules."""

    async def slow(work):
        await work.execute(text(RULES.format(" || left(pg_sleep(1)::text, 0)")))

    async def quick(work):
        await work.execute(text(RULES.format("")))

    transact(exchange.api.database, slow)
    try:
        yield
    finally:
        transact(exchange.api.database, quick)


def until_a_page_is_being_read(exchange):
    async def is_slept(work):
        return (await work.execute(text(ASLEEP))).scalar_one() > 0

    in_force(lambda: transact(exchange.api.database, is_slept), True)


# Break: rows.cfg, CHANGED: without RENEW, the row of the page.
def test_row_41_a_phone_that_comes_with_the_new_password_while_the_change_log_is_read_stays(office, exchange):
    rules = Outside(office).rules(("1", "2"))
    with slow_pages(exchange):
        office.put_extension("102", label="Changed")
        office.tenant.api.put(
            f"/client/@me/dial_rule/{rules}", json={"dial_rules": [{"match_exp": "3", "repl_exp": "4"}]}
        )
        until_a_page_is_being_read(exchange)
        office.passwords["102"] = office.put_phone("102", password="generate")["password"]
        phone = office.phone("102")
    until_polled(office)
    assert office.registered("102")
    assert phone.register().status == 200
