"""Telling: a notice is written, with a delivery to each who wants to hear it, in the transaction at hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.audit.tables import CURRENT_XID
from peal.db import bulk
from peal.events import model
from peal.events.model import Subscription
from peal.events.notice import Notice
from peal.events.tables import delivery, notice, subscription
from peal.extensions.tables import extension
from peal.kit import dates

Row = Mapping[str, Any]
_ROWS = 1000
"""What one statement takes: a database knows some 32,000 parameters."""
_KEY = ("call_id", "extension_id", "event_type", "flow")
_WRITTEN = ("id", "client_id", *_KEY, "told_at", "held_until")


async def tell(connection: AsyncConnection, notices: Sequence[Notice]) -> None:
    """Tell of calls. Each notice is told once, however often it comes; they come in their order.

    One that is held back because of a gap is told as soon as it comes without.
    """
    if not notices:
        return
    now = dates.now()
    await _release(connection, notices, now)
    for first in range(0, len(notices), _ROWS):
        await _write(connection, [_row(each, now) for each in notices[first : first + _ROWS]])


async def tell_status(
    connection: AsyncConnection, client_id: int, extension_id: int, parameters: Mapping[str, str]
) -> None:
    """Tell that the call status of an extension has changed."""
    row = {"client_id": client_id, "extension_id": extension_id, "event_type": model.STATUS_CHANGE, "seq": 0}
    more = {"parameters": parameters, "told_at": dates.now(), "held_until": None}
    await _write(connection, [{**row, **more, "call_id": None, "flow": None}])


def _row(told: Notice, now: datetime) -> Row:
    names = ("client_id", "extension_id", "call_id", "seq", "event_type", "flow", "parameters")
    row = {name: getattr(told, name) for name in names}
    return {**row, "told_at": now, "held_until": model.held_until(told, now)}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _topic(row: Row) -> str:
    """Return what a notice is of; what came of a call by transfers is of that call."""
    return row["parameters"]["CallID"] if row["call_id"] else f"status-{row['extension_id']}"


async def _release(connection: AsyncConnection, notices: Sequence[Notice], now: datetime) -> None:
    """Forget what is held back and now comes without a gap: it is written anew, after what it waited for."""
    calls = {each.call_id for each in notices}
    key = (notice.c[name] for name in _KEY)
    held = select(notice.c.id, *key).where(notice.c.call_id.in_(calls), notice.c.held_until > now)
    whole = {
        (each.call_id, each.extension_id, each.event_type, each.flow) for each in notices if not each.gap
    }
    ids = [row.id for row in await connection.execute(held) if tuple(row[1:]) in whole]
    if ids:
        await connection.execute(delete(notice).where(notice.c.id.in_(ids)))


async def _write(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    if connection.dialect.name == "postgresql":
        xid = (await connection.execute(select(CURRENT_XID))).scalar_one()
        rows = [{**row, "xid": xid} for row in rows]
    told = await bulk.add(connection, notice, rows, key=_KEY, returning=_WRITTEN)
    topics = {_key(row): _topic(row) for row in rows}
    if told:
        await _deliver(connection, [{**row, "topic": topics[_key(row)]} for row in told])


async def _deliver(connection: AsyncConnection, told: Sequence[Row]) -> None:
    """Write a delivery of each notice to each who hears it."""
    subscriptions = await _subscriptions(connection, told)
    rows = [
        _delivery(each, heard)
        for each in sorted(told, key=lambda row: row["id"])
        for heard in subscriptions
        if heard.hears(each["client_id"], each["extension_id"], each["event_type"])
    ]
    if rows:
        await connection.execute(insert(delivery), rows)


async def _subscriptions(connection: AsyncConnection, told: Sequence[Row]) -> list[Subscription]:
    """Return those that may hear any of them."""
    columns = ("id", "client_id", "subscriber_id", "extension_id", "event_type")
    theirs = or_(
        subscription.c.extension_id.is_(None),
        subscription.c.extension_id.in_({each["extension_id"] for each in told}),
    )
    query = (
        select(*(subscription.c[name] for name in columns), (extension.c.position > 0).label("associated"))
        .outerjoin(extension, extension.c.id == subscription.c.extension_id)
        .where(
            subscription.c.client_id.in_({each["client_id"] for each in told}),
            subscription.c.event_type.in_({each["event_type"] for each in told}),
            subscription.c.status == "active",
            theirs,
        )
        .order_by(subscription.c.id)
    )
    return [Subscription(**row) for row in (await connection.execute(query)).mappings()]


def _delivery(told: Row, heard: Subscription) -> Row:
    return {
        "client_id": told["client_id"],
        "subscription_id": heard.id,
        "subscriber_id": heard.subscriber_id,
        "notice_id": told["id"],
        "topic": told["topic"],
        "waits_since": told["told_at"],
        "due_at": told["held_until"] or told["told_at"],
    }
