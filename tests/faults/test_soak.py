"""Many calls for a long time: whatever a call takes, the switch gives back."""

import os
import time
from contextlib import ExitStack

import pytest
from parts import look
from sip import sipp
from sip.exchange import Exchange, Office, exchanging
from sqlalchemy import func, select

from peal.calls.tables import call_event

SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))
RATE = int(os.environ.get("SOAK_RATE", "80"))
"""Calls per second: about half of what a machine with two cores takes, phones included."""
WARM_UP_SECONDS = 100
"""What is kept of a call that has ended is forgotten after 60 s, looked for every 20."""


@pytest.fixture
def busy(postgres):
    """An exchange whose phones, all of one address, may send as much as they like."""
    with exchanging(postgres.database(), PEAL_FLOOD_LIMIT="1000000", PEAL_RING_SECONDS="20") as running:
        yield running


KIND = call_event.c.body["type"].as_string()


# Break: events.cfg, TELL: without `$shtex` shared memory grows.
@pytest.mark.slow
def test_ten_minutes_of_calls_leave_nothing_behind_but_their_events(busy):
    with ExitStack() as stack:
        office = Office(busy, stack)
        for number in office.ids:
            office.put_phone(number, password=sipp.PASSWORD)
        office.put_phone("100", incoming_limit=1000)
        phones = stack.enter_context(sipp.phones(busy.folder, 3))
        members = zip(("100", "101", "102"), phones.ports, strict=True)
        assert sipp.registrations(busy.port, [(office.user(n), port) for n, port in members]).failed == 0
        placed = call(office, WARM_UP_SECONDS)
        warm = busy.shared_memory
        after = call(office, SECONDS - WARM_UP_SECONDS)
        assert busy.shared_memory - warm < 20 * after, "bytes kept of each call"
        assert statistic(busy, "dialog", "active_dialogs") == 0
        assert statistic(busy, "dialog", "early_dialogs") == 0
        office.put_phone("100", incoming_limit=1)
        time.sleep(1.5)  # a change is in force by then
        last = sipp.calls(busy.port, [(office.user("200"), office.user("100"))], rate=1, many=1)
        assert last.good == 1, "places of the limit were not given back"
        calls = placed + after + 1
        once = dict.fromkeys(("begin", "answer", "hangup"), calls)
        stored = stored_events(busy, sum(once.values()) + 6 * calls)
        assert half_told(busy) == []
        assert stored == once | {"ring": 3 * calls, "leg": 3 * calls}


def call(office: Office, seconds: int) -> int:
    """Let two colleagues call the bundle at the rate; return how many calls there were, none failed."""
    rows = [(office.user(caller), office.user("100")) for caller in ("200", "201")]
    done = sipp.calls(office.exchange.port, rows, rate=RATE, many=RATE * seconds)
    assert done.failed == 0
    assert done.good == RATE * seconds
    office.exchange.until_idle()
    return done.good


def statistic(exchange: Exchange, group: str, name: str) -> int:
    return int(exchange.rpc("cnt.get", group, name)["result"])


def stored_events(exchange: Exchange, many: int) -> dict[str, int]:
    """Return how many events of each type are stored, when there are that many or no more come."""
    counted = select(KIND.label("kind"), func.count().label("many")).group_by(KIND)
    deadline = time.monotonic() + 60
    while True:
        [rows] = look(exchange.api.database, counted)
        found = {row["kind"]: row["many"] for row in rows}
        if sum(found.values()) >= many or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def half_told(exchange: Exchange) -> list[dict]:
    """Return calls and their phones of which not both is stored, that it rang and how that ended."""
    call, phone = (call_event.c.body[field].as_string() for field in ("call", "device"))
    told = func.string_agg(KIND, " ").label("told")
    both = select(call.label("call"), phone.label("phone"), told).where(KIND.in_(("ring", "leg")))
    [rows] = look(exchange.api.database, both.group_by(call, phone).having(func.count() != 2))
    return rows
