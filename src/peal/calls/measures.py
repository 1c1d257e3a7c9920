"""Calls in numbers, for `/metrics`: read from the database, so every worker tells the same."""

from datetime import timedelta
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import ColumnElement, Select, func, select

from peal.calls.tables import call
from peal.db.work import Work
from peal.kit import dates

MINUTES = 5
"""Calls that began in the last minutes are counted, never the whole table."""


async def measure(work: Work, registry: CollectorRegistry) -> None:
    """Add what calls have come to to `registry`."""
    over = Gauge(
        "peal_calls", "Calls begun in the last 5 minutes, over", ["flow", "result"], registry=registry
    )
    ringing = Gauge(
        "peal_calls_ring_seconds", "How long they rang until answered, on average", registry=registry
    )
    going_on = Gauge("peal_calls_open", "Calls that ring or are up", registry=registry)
    since = dates.now() - timedelta(minutes=MINUTES)
    waited = 0.0
    answered = 0
    for row in (await work.execute(_recent(work).where(call.c.init_time > since))).mappings():
        over.labels(row["flow"], row["result"]).set(row["calls"])
        waited += float(row["waited"] or 0)
        answered += row["answered"]
    ringing.set(waited / answered if answered else 0)
    going_on.set((await work.execute(_OPEN)).scalar_one())


_OPEN = select(func.count()).select_from(call).where(call.c.hangup_time.is_(None))


def _recent(work: Work) -> Select[tuple[str, str, int, int, float]]:
    rang: ColumnElement[Any]
    if work.on_postgresql:
        rang = func.extract("epoch", call.c.bridged_time - call.c.init_time)
    else:
        rang = (func.julianday(call.c.bridged_time) - func.julianday(call.c.init_time)) * 86_400
    return (
        select(
            call.c.flow,
            call.c.result,
            func.count().label("calls"),
            func.count(call.c.bridged_time).label("answered"),
            func.sum(rang).label("waited"),
        )
        .where(call.c.hangup_time.is_not(None))
        .group_by(call.c.flow, call.c.result)
    )
