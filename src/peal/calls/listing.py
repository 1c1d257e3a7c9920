"""Pages of calls and legs; no statement counts or sorts more than what the filters leave."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from peal.calls.filters import Filters
from peal.calls.tables import call, call_extension, leg
from peal.db.work import Work

Row = dict[str, Any]

_LEG = [column.label(f"leg_{column.name}") for column in leg.c]


async def calls(work: Work, client_id: int, wanted: Filters) -> list[Row]:
    """Return a page of a client's calls that are over."""
    rows = await work.execute(_paged(select(call).where(*_wanted(client_id, wanted)), wanted))
    return [dict(row) for row in rows.mappings()]


async def one(work: Work, client_id: int, call_id: str) -> Row | None:
    """Return a call that is over."""
    query = select(call).where(call.c.id == call_id, call.c.client_id == client_id)
    row = (await work.execute(query.where(call.c.hangup_time.is_not(None)))).mappings().first()
    return dict(row) if row else None


async def legs_of(work: Work, client_id: int, call_ids: Iterable[str]) -> dict[str, list[Row]]:
    """Return the legs of calls."""
    found: dict[str, list[Row]] = {call_id: [] for call_id in call_ids}
    query = select(leg).where(leg.c.client_id == client_id, leg.c.call_id.in_(found)).order_by(leg.c.n)
    for row in (await work.execute(query)).mappings():
        found[row["call_id"]].append(dict(row))
    return found


async def legs(work: Work, client_id: int, wanted: Filters) -> list[tuple[Row, Row]]:
    """Return a page of legs, each with its call."""
    query = select(call, *_LEG).join(
        leg, and_(leg.c.call_id == call.c.id, leg.c.client_id == call.c.client_id)
    )
    query = query.where(*_wanted(client_id, wanted, flow=leg.c.flow))
    if wanted.extension_ids:
        of = wanted.extension_ids
        query = query.where(or_(leg.c.extension_id.in_(of), leg.c.bundle_extension_id.in_(of)))
    rows = [dict(row) for row in (await work.execute(_paged(query, wanted, leg.c.n))).mappings()]
    return [(row, {column.name: row[f"leg_{column.name}"] for column in leg.c}) for row in rows]


async def totals(work: Work, client_id: int, wanted: Filters) -> dict[str, int]:
    """Return how many calls there are of each flow."""
    query = select(call.c.flow, func.count().label("total")).where(*_wanted(client_id, wanted))
    rows = await work.execute(query.group_by(call.c.flow))
    return {row.flow: row.total for row in rows}


def _wanted(
    client_id: int, wanted: Filters, flow: ColumnElement[str] = call.c.flow
) -> list[ColumnElement[bool]]:
    found = [
        call.c.client_id == client_id,
        call.c.init_time.between(wanted.start, wanted.end),
        call.c.hangup_time.is_not(None),
    ]
    if wanted.flow:
        found.append(flow == wanted.flow)
    for column, value in (
        (call.c.from_username, wanted.from_username),
        (call.c.to_username, wanted.to_username),
    ):
        if value:
            found.append(column == value)
    if wanted.extension_ids:
        found.append(call.c.id.in_(_of_extensions(wanted)))
    return found


def _of_extensions(wanted: Filters) -> Select[Any]:
    return select(call_extension.c.call_id).where(
        call_extension.c.extension_id.in_(wanted.extension_ids),
        call_extension.c.init_time.between(wanted.start, wanted.end),
    )


def _paged(query: Select[Any], wanted: Filters, *then: ColumnElement[Any]) -> Select[Any]:
    page = wanted.page
    order = [call.c.init_time, call.c.id, *then]
    if page.descending:
        order = [call.c.init_time.desc(), call.c.id.desc(), *then]
    return query.order_by(*order).limit(page.per_page).offset(page.offset)
