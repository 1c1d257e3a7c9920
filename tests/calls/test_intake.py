"""What becomes of the events of calls in the database."""

import asyncio
import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from calls.test_routes import DAY, answered, get, uuids
from parts import contents, look
from sqlalchemy import delete, select

from peal.calls import retention, service
from peal.calls.tables import call, call_event, call_extension, leg
from peal.db import expiry
from peal.db.engine import Database
from peal.events.tables import notice
from peal.kit import dates

TABLES = (call, leg, call_extension)


def written(board):
    """All that stands of this client's calls."""
    mine = (
        select(table).where(table.c.client_id == board.tenant.id).order_by(*table.primary_key)
        for table in TABLES
    )
    return look(board.tenant.server.database, *mine)


def told_of(board):
    """What this client's extensions were told: each thing once."""
    key = (notice.c.call_id, notice.c.extension_id, notice.c.event_type, notice.c.flow, notice.c.seq)
    (rows,) = look(board.tenant.server.database, select(*key).where(notice.c.client_id == board.tenant.id))
    return sorted(tuple(row.values()) for row in rows)


def forget(board, *ids):
    columns = (call_event.c.call_id, call.c.id, notice.c.call_id)
    look(board.tenant.server.database, *(delete(each.table).where(each.in_(ids)) for each in columns))


def on(board, action):
    """Run `action(database)` on this client's database; return what it does."""

    async def run():
        opened = Database(board.tenant.server.database, connections=1)
        try:
            return await action(opened)
        finally:
            await opened.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()


# Break: service.py, _take: without `forget`; `>` for `>=`; repository.py, families: only
# `call_event.c.call_id.in_(new)`.
@pytest.mark.parametrize("seed", range(5))
def test_events_in_any_order_and_more_than_once_leave_the_same_rows(board, seed):
    """A call, and what came of it by two transfers."""
    first = board.call("200", "100").begin("100", "101", "102").answer("101")
    first.add("transfer", device="101", target="200", reason="bl_xfer").hangup(code="200")
    second = board.call("200", "102", transfer=first.id, to_main=board.full("100"))
    second.begin("102").answer("102").add("transfer", device="102", target="101", reason="rf").hangup()
    third = board.call("200", "101", transfer=second.id, to_main=board.full("100"))
    third.begin("101").answer("101").hangup(code="200", ended_by="callee")
    events = [*first.events, *second.events, *third.events]
    board.take(*events)
    in_order = written(board)
    told_in_order = told_of(board)
    assert [len(rows) for rows in in_order] == [1, 8, 4]
    assert len(told_in_order) == len(set(told_in_order)) == 18
    forget(board, first.id, second.id, third.id)
    assert written(board) == [[], [], []]
    assert told_of(board) == []
    chance = random.Random(seed)
    again = [*events, *chance.sample(events, 10)]
    chance.shuffle(again)
    while again:
        size = chance.randint(1, 6)
        board.take(*again[:size])
        again = again[size:]
    assert written(board) == in_order
    assert told_of(board) == told_in_order
    assert uuids(board) == [first.uuid]


# Break: service.py, take_in: `body` without what was known.
def test_an_event_that_comes_when_its_extensions_are_gone_is_of_the_call_as_it_began(board):
    told = board.call("200", "100").begin("100", "101", "102").answer("101")
    told.take()
    for number in ("101", "102"):
        assert board.tenant.api.delete(f"/client/@me/extension/{board.ids[number]}").status_code == 204
    board.take(told.hangup(code="200").events[-1])
    shown = board.tenant.api.get(f"/client/@me/call_history/{told.id}").json()
    assert shown["extension_id"] == board.ids["100"]
    legs = [each["extension_id"] for each in shown["cdr"] if each["flow"] == "in"]
    assert legs == [board.ids[number] for number in ("100", "101", "102")]


# Break: service.py, unfinished: `call.id` for `part.id`.
def test_what_the_switch_should_still_have_are_the_parts_that_nothing_has_ended(board):
    async def unfinished(opened):
        async with opened.read() as connection:
            return await service.unfinished(connection)

    answered(board)
    first = board.call("200", "100").begin("101").answer("101").hangup().take()
    second = board.call("200", "102", transfer=first.id, to_main=board.full("100")).begin("102").take()
    third = board.call("200", "100").begin("101").answer("101").take()
    mine = {second.id, third.id}
    assert mine <= set(on(board, unfinished))
    assert first.id not in on(board, unfinished)
    ends = [{"call": each, "seq": 2**31 - 1, "type": "lost", "at": f"{time.time():.6f}"} for each in mine]
    board.take(*ends)
    assert not mine & set(on(board, unfinished))
    causes = {call["hangup_cause"] for call in get(board, "/client/@me/calls/")["calls"]}
    assert causes == {"NORMAL_CLEARING", "RECOVERY_ON_TIMER_EXPIRE"}


def test_events_of_numbers_that_nobody_has_are_kept_and_make_no_call(board):
    told = board.call("200", "100", domain="elsewhere.test").begin("100").hangup(code="480").take()
    assert written(board) == [[], [], []]
    (rows,) = look(board.tenant.server.database, select(call_event).where(call_event.c.call_id == told.id))
    assert len(rows) == 3


def test_the_history_goes_with_its_client(server, board):
    answered(board)
    assert server.admin.delete(f"/admin/client/{board.tenant.id}").status_code == 204
    assert written(board) == [[], [], []]


# Break: retention.py, _delete: without `delete(call)`; expiry.py, in_batches: `if` for `while`.
def test_what_is_too_old_is_deleted_and_nothing_else(board, monkeypatch):
    monkeypatch.setattr(expiry, "BATCH", 2)
    now = dates.now()
    old = [answered(board, at=(now - timedelta(days=days)).timestamp()) for days in (11, 12, 13, 14, 20)]
    new = [answered(board, at=(now - timedelta(days=days)).timestamp()) for days in (0, 9)]
    database = board.tenant.server.database
    before = contents(database)["call_event"]

    on(board, lambda opened: retention.expire(opened, 10))
    assert uuids(board) == [each.uuid for each in new]
    assert [len(rows) for rows in written(board)] == [2, 8, 8]
    gone = {each.id for each in old}
    left = [row for row in before if row["call_id"] not in gone]
    assert contents(database)["call_event"] == left


# Break: measures.py, measure: without `since`; `row["calls"]` for `row["answered"]`.
def test_metrics_tell_of_calls_and_how_long_they_rang(server, board):
    def numbers():
        lines = server.web.get("/metrics").text.splitlines()
        told = dict(line.rsplit(" ", 1) for line in lines if line.startswith("peal_calls"))
        return {name: float(value) for name, value in told.items()}

    look(server.database, delete(call))  # of other tests
    answered(board)
    answered(board, at=(dates.now() - timedelta(hours=1)).timestamp())
    board.call("200", "100").begin("100").add("leg", device="100", leg=0, code="486").hangup(
        code="486"
    ).take()
    board.call("200", "100").begin("100").take()
    assert numbers() == {
        'peal_calls{flow="in",result="answered"}': 1.0,
        'peal_calls{flow="in",result="busy"}': 1.0,
        "peal_calls_ring_seconds": pytest.approx(2.0, abs=0.01),
        "peal_calls_open": 1.0,
    }
    assert board.tenant.api.get("/client/@me/calls/", params=DAY).status_code == 200
