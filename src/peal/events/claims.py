"""The deliverers' part of the outbox: who has which subscriber, what is due, what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    and_,
    delete,
    exists,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.events import model
from peal.events.model import Due, Outcome
from peal.events.tables import attempt, delivery, notice, subscriber, subscription


@dataclass(frozen=True)
class Claim:
    """A subscriber that is this deliverer's for a while."""

    id: int
    url: str
    failures: int


_WAITS = delivery.c.state == literal_column("'waiting'")
_FRESH = and_(_WAITS, delivery.c.attempts == literal_column("0"))
_AGAIN = and_(_WAITS, delivery.c.attempts > literal_column("0"))
"""As the indexes have it: a database sees no index behind a parameter."""


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Say which subscribers nobody has, that are not paused and for whom something is due."""
    mine = and_(delivery.c.subscriber_id == subscriber.c.id, delivery.c.due_at <= now)
    over = [or_(c.is_(None), c <= now) for c in (subscriber.c.claimed_until, subscriber.c.paused_until)]
    waits = [_none(select(delivery.c.id).where(mine, which)) for which in (_FRESH, _AGAIN)]
    return and_(*over, not_(and_(*waits)))


def _none(found: Select[Any]) -> ColumnElement[bool]:
    """Say that there is none. Not by `exists`: a database makes a join of that, and compares all with all."""
    return found.limit(1).scalar_subquery().is_(None)


async def waiting(connection: AsyncConnection, now: datetime) -> bool:
    """Return whether there is anybody to claim; a look that locks nothing."""
    found = await connection.execute(select(subscriber.c.id).where(_is_free(now)).limit(1))
    return found.first() is not None


async def claim(connection: AsyncConnection, now: datetime, lease: timedelta, most: int) -> list[Claim]:
    """Take subscribers that have something due; other deliverers leave them alone until the lease is over."""
    free = (
        select(subscriber.c.id, subscriber.c.url, subscriber.c.failures)
        .where(_is_free(now))
        .order_by(subscriber.c.claimed_until, subscriber.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claimed = [Claim(**row) for row in (await connection.execute(free)).mappings()]
    if claimed:
        mine = subscriber.c.id.in_([each.id for each in claimed])
        await connection.execute(update(subscriber).where(mine).values(claimed_until=now + lease))
    return claimed


async def due(connection: AsyncConnection, subscriber_id: int, now: datetime, most: int) -> list[Due]:
    """Return deliveries whose time has come: what was never tried, the oldest first, then what has failed.

    What has failed takes no more than a quarter of a page from what has not, and goes when nothing of its
    topic is before it; what comes after it waits until it is through. Each page is read from an index, and no
    further, whatever waits behind it and however little the database knows of that: who comes back has the
    deliveries of a day before it.
    """
    mine = and_(delivery.c.subscriber_id == subscriber_id, delivery.c.due_at <= now)
    late = or_(_earlier.c.attempts > 0, _earlier.c.due_at > now)
    fresh = await _page(connection, and_(mine, _FRESH, _none(_EARLIER.where(late))), delivery.c.id, now, most)
    room = max(most - len(fresh), most // 4)
    again = await _page(connection, and_(mine, _AGAIN, _none(_EARLIER)), delivery.c.due_at, now, room)
    return fresh[: most - len(again)] + again


_earlier = delivery.alias("earlier")
_EARLIER = select(_earlier.c.id).where(
    _earlier.c.subscriber_id == delivery.c.subscriber_id,
    _earlier.c.topic == delivery.c.topic,
    _earlier.c.state == literal_column("'waiting'"),
    _earlier.c.id < delivery.c.id,
)


_DUE = (
    select(
        *(delivery.c[name] for name in ("id", "topic", "attempts", "notice_id", "subscription_id")),
        notice.c.parameters,
        subscription.c.method,
        subscription.c.secret,
        subscription.c.old_secret,
        subscription.c.old_secret_until,
    )
    .join(notice, notice.c.id == delivery.c.notice_id)
    .join(subscription, subscription.c.id == delivery.c.subscription_id)
)


async def _page(
    connection: AsyncConnection, which: ColumnElement[bool], order: Column[Any], now: datetime, most: int
) -> list[Due]:
    if not most:
        return []
    query = _DUE.where(which).order_by(order).limit(most)
    return [_due(dict(row), now) for row in (await connection.execute(query)).mappings()]


def _due(row: Mapping[str, Any], now: datetime) -> Due:
    old = row["old_secret"] if row["old_secret_until"] and row["old_secret_until"] > now else None
    secrets = (row["secret"], old) if old else (row["secret"],)
    names = [name for name in Due.__dataclass_fields__ if name != "secrets"]
    return Due(**{name: row[name] for name in names}, secrets=secrets)


async def rest(connection: AsyncConnection, claimed: Claim, now: datetime) -> None:
    """Let a subscriber go for whom nothing was due: all that waits does so for an earlier one."""
    let_go = update(subscriber).where(subscriber.c.id == claimed.id)
    await connection.execute(let_go.values(claimed_until=None, paused_until=now + model.HELD_UP))


async def settle(
    connection: AsyncConnection, claimed: Claim, done: Sequence[tuple[Due, Outcome]], now: datetime
) -> None:
    """Write what came of a round, and let the subscriber go, for a while if it took nothing."""
    await _write(connection, done, now)
    gone = {one.subscription_id for one, outcome in done if outcome.result == "gone"}
    if gone:
        await _disable(connection, gone, now)
    failures = claimed.failures
    if done:
        failures = 0 if any(outcome.result != "failed" for _, outcome in done) else failures + 1
    pause = now + model.pause(failures) if failures and done else None
    if any(outcome.result == "failed" for _, outcome in done):
        await _park_old(connection, claimed.id, now)
    let_go = update(subscriber).where(subscriber.c.id == claimed.id)
    await connection.execute(let_go.values(claimed_until=None, paused_until=pause, failures=failures))


async def _write(connection: AsyncConnection, done: Sequence[tuple[Due, Outcome]], now: datetime) -> None:
    """Write what came of deliveries: few statements, however many they are."""
    delivered = [one.id for one, outcome in done if outcome.result == "delivered"]
    if delivered:
        await _tried(connection, delivered, {"state": "delivered", "done_at": now})
    vain = [one for one, outcome in done if outcome.result != "delivered"]
    for attempts in {one.attempts for one in vain}:
        alike = [one.id for one in vain if one.attempts == attempts]
        await _tried(connection, alike, {"due_at": now + model.delay(attempts + 1)})
    if done:
        await connection.execute(insert(attempt), [_attempt(one, outcome) for one, outcome in done])


async def _tried(connection: AsyncConnection, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    tried = update(delivery).where(delivery.c.id.in_(ids))
    await connection.execute(tried.values(attempts=delivery.c.attempts + 1, **values))


def _attempt(one: Due, outcome: Outcome) -> dict[str, Any]:
    names = ("at", "milliseconds", "status", "error")
    return {"delivery_id": one.id, **{name: getattr(outcome, name) for name in names}}


async def _disable(connection: AsyncConnection, gone: set[int], now: datetime) -> None:
    """End subscriptions whose subscriber says that it is gone (410)."""
    theirs = subscription.c.id.in_(gone)
    await connection.execute(update(subscription).where(theirs).values(status="disabled"))
    await _park(connection, delivery.c.subscription_id.in_(gone), now)


async def _park_old(connection: AsyncConnection, subscriber_id: int, now: datetime) -> None:
    """Give up what has waited too long."""
    old = and_(delivery.c.subscriber_id == subscriber_id, delivery.c.waits_since <= now - model.GIVE_UP)
    await _park(connection, old, now)


async def _park(connection: AsyncConnection, which: ColumnElement[bool], now: datetime) -> None:
    parked = update(delivery).where(which, delivery.c.state == "waiting")
    await connection.execute(parked.values(state="parked", done_at=now))


async def forget(connection: AsyncConnection, before: datetime, most: int) -> int:
    """Delete old notices, with all that came of them; return how many.

    One that still waits stays, however old: it was sent again on demand.
    """
    waits = exists().where(delivery.c.notice_id == notice.c.id, delivery.c.state == "waiting")
    old = select(notice.c.id).where(notice.c.told_at < before, ~waits).order_by(notice.c.id).limit(most)
    return (await connection.execute(delete(notice).where(notice.c.id.in_(old)))).rowcount


async def forget_subscribers(connection: AsyncConnection, most: int) -> int:
    """Delete those that no subscription names any more; return how many were found.

    Locked first, looked at again after: a subscription that is made meanwhile waits, and makes one anew.
    """
    unused = ~exists().where(subscription.c.subscriber_id == subscriber.c.id)
    locked = select(subscriber.c.id).where(unused).limit(most).with_for_update(skip_locked=True)
    ids = list((await connection.execute(locked)).scalars())
    if ids:
        await connection.execute(delete(subscriber).where(subscriber.c.id.in_(ids), unused))
    return len(ids)
