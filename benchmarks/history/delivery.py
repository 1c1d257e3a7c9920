"""How soon a subscriber hears that a phone has answered."""

import statistics
import time
from contextlib import ExitStack

from events.exchange import delivering
from place import Place
from report import Row
from sip.exchange import Office, exchanging
from sip.subscriber import subscriber_of

CALLS = 30


def delay(place: Place) -> list[Row]:
    """Return how long after a phone's 200 OK its subscriber is told, on PostgreSQL."""
    with ExitStack() as stack:
        exchange = stack.enter_context(exchanging(place.cluster.database()))
        stack.enter_context(delivering(exchange.api.database, exchange.folder, events_seconds="5"))
        office = Office(exchange, stack)
        heard = stack.enter_context(subscriber_of(office))
        callee, caller = office.phones("201", "200")
        delays = [_delay(heard.receiver, caller, callee) for _ in range(CALLS)]
    return [
        Row("from a phone's 200 OK to the subscriber's request, median", f"{_ms(delays)}", "150 ms"),
        Row("the longest of them", f"{1000 * max(delays):.0f} ms"),
    ]


def _delay(receiver, caller, callee) -> float:
    call = caller.invite("201")
    leg = callee.expect_invite()
    before = len(receiver.received)
    answered = time.time()
    leg.answer()
    call.final()
    while not (told := [one for one in receiver.received[before:] if one.fields["EventType"] == "answer"]):
        assert time.time() < answered + 10, "nobody was told"
        time.sleep(0.002)
    call.bye()
    return told[0].at - answered


def _ms(delays: list[float]) -> str:
    return f"{1000 * statistics.median(delays):.0f} ms"
