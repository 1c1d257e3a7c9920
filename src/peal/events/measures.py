"""Deliveries in numbers, for `/metrics`: read from the database, so every worker tells the same."""

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import func, select

from peal.db.work import Work
from peal.events.tables import delivery
from peal.kit import dates

MOST = 100_000
"""Counted no further."""


async def measure(work: Work, registry: CollectorRegistry) -> None:
    """Add backlog and lag of the deliveries to `registry`."""
    backlog = Gauge(
        "peal_deliveries_waiting", f"Deliveries that wait, counted up to {MOST}", registry=registry
    )
    lag = Gauge("peal_delivery_lag_seconds", "How long the oldest of them has waited", registry=registry)
    backlog.set((await work.execute(_WAITING)).scalar_one())
    oldest = (await work.execute(_OLDEST)).scalar_one()
    lag.set((dates.now() - oldest).total_seconds() if oldest else 0)


_FEW = select(delivery.c.id).where(delivery.c.state == "waiting").limit(MOST).subquery()
_WAITING = select(func.count()).select_from(_FEW)
_OLDEST = select(func.min(delivery.c.waits_since)).where(delivery.c.state == "waiting")
