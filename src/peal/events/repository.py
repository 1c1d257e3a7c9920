"""Subscriptions and their deliveries in the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from peal.db.work import Work
from peal.errors import NotFound
from peal.events.tables import attempt, delivery, notice, subscriber, subscription
from peal.kit import dates
from peal.kit.paging import Page

Row = dict[str, Any]


@dataclass(frozen=True)
class Owner:
    """Whose subscriptions: an extension's, or, without one, those of all of a client's."""

    client_id: int
    extension_id: int | None = None


def _of(owner: Owner) -> ColumnElement[bool]:
    return (subscription.c.client_id == owner.client_id) & (
        subscription.c.extension_id.is_(None)
        if owner.extension_id is None
        else subscription.c.extension_id == owner.extension_id
    )


def _query(owner: Owner) -> Select[Any]:
    joined = subscription.join(subscriber, subscriber.c.id == subscription.c.subscriber_id)
    return select(subscription, subscriber.c.url).select_from(joined).where(_of(owner))


async def one(work: Work, owner: Owner, subscription_id: int) -> Row:
    """Return a subscription, with its `url`.

    Raises:
        NotFound: the owner has none of this id.
    """
    found = (await work.execute(_query(owner).where(subscription.c.id == subscription_id))).mappings().first()
    if found is None:
        raise NotFound()
    return dict(found)


async def page(work: Work, owner: Owner, wanted: Page) -> list[Row]:
    """Return a page of an owner's subscriptions."""
    order = subscription.c.id.desc() if wanted.descending else subscription.c.id
    rows = await work.execute(_query(owner).order_by(order).limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


async def add(work: Work, owner: Owner, url: str, values: Mapping[str, Any]) -> int:
    """Insert a subscription; return its id."""
    row = {"client_id": owner.client_id, "extension_id": owner.extension_id, **values}
    row["subscriber_id"] = await _subscriber(work, owner.client_id, url)
    statement = insert(subscription).values(**row).returning(subscription.c.id)
    return int((await work.execute(statement)).scalar_one())


async def change(work: Work, row: Row, values: Mapping[str, Any]) -> None:
    """Update a subscription; with another `url`, what still waits goes there."""
    new = dict(values)
    if "url" in new:
        new["subscriber_id"] = await _subscriber(work, row["client_id"], new.pop("url"))
        waits = (delivery.c.subscription_id == row["id"], delivery.c.state == "waiting")
        await work.execute(update(delivery).where(*waits).values(subscriber_id=new["subscriber_id"]))
    await work.execute(update(subscription).where(subscription.c.id == row["id"]).values(**new))


async def remove(work: Work, owner: Owner, subscription_id: int | None = None) -> list[int]:
    """Delete a subscription, or all of an owner's; return their ids."""
    statement = delete(subscription).where(_of(owner))
    if subscription_id is not None:
        statement = statement.where(subscription.c.id == subscription_id)
    return list((await work.execute(statement.returning(subscription.c.id))).scalars())


async def _subscriber(work: Work, client_id: int, url: str) -> int:
    """Return the id of a client's URL; its row is locked, so that nobody deletes it meanwhile."""
    dialect = postgresql if work.on_postgresql else sqlite
    statement = dialect.insert(subscriber).values(client_id=client_id, url=url)
    kept = statement.on_conflict_do_update(
        index_elements=["client_id", "url"], set_={"url": statement.excluded.url}
    )
    return int((await work.execute(kept.returning(subscriber.c.id))).scalar_one())


async def deliveries(work: Work, subscription_id: int, state: str | None, wanted: Page) -> list[Row]:
    """Return a page of a subscription's deliveries, each with the requests made, `tries`."""
    query = _deliveries().where(delivery.c.subscription_id == subscription_id)
    if state:
        query = query.where(delivery.c.state == state)
    order = delivery.c.id.desc() if wanted.descending else delivery.c.id
    rows = await work.execute(query.order_by(order).limit(wanted.per_page).offset(wanted.offset))
    return await _with_tries(work, [dict(row) for row in rows.mappings()])


async def one_delivery(work: Work, subscription_id: int, delivery_id: int) -> Row:
    """Return a delivery of a subscription, with `tries`.

    Raises:
        NotFound: it has none of this id.
    """
    query = _deliveries().where(delivery.c.subscription_id == subscription_id, delivery.c.id == delivery_id)
    rows = [dict(row) for row in (await work.execute(query)).mappings()]
    if not rows:
        raise NotFound()
    return (await _with_tries(work, rows))[0]


def _deliveries() -> Select[Any]:
    told = (notice.c.event_type, notice.c.parameters, notice.c.told_at)
    return select(delivery, *told).join(notice, notice.c.id == delivery.c.notice_id)


async def _with_tries(work: Work, rows: Sequence[Row]) -> list[Row]:
    tries: dict[int, list[Row]] = {row["id"]: [] for row in rows}
    query = select(attempt).where(attempt.c.delivery_id.in_(tries)).order_by(attempt.c.id)
    for made in (await work.execute(query)).mappings():
        tries[made["delivery_id"]].append(dict(made))
    return [{**row, "tries": tries[row["id"]]} for row in rows]


async def send_again(work: Work, subscription_id: int, which: ColumnElement[bool]) -> int:
    """Let deliveries wait anew, as if they had never been tried; return how many."""
    now = dates.now()
    mine = update(delivery).where(delivery.c.subscription_id == subscription_id, which)
    current = select(subscription.c.subscriber_id).where(subscription.c.id == subscription_id)
    fresh = {"state": "waiting", "attempts": 0, "waits_since": now, "due_at": now, "done_at": None}
    values = {**fresh, "subscriber_id": current.scalar_subquery()}
    return (await work.execute(mine.values(**values))).rowcount
