"""Pages of calls and legs; no statement counts or sorts more than what the filters leave."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select

from peal.calls.filters import Filters
from peal.calls.tables import call, call_extension, leg
from peal.db.work import Work

Row = dict[str, Any]

_LEG = [column.label(f"leg_{column.name}") for column in leg.c]


async def calls(work: Work, client_id: int, wanted: Filters) -> list[Row]:
    """Return a page of a client's calls that are over."""
    rows = await work.execute(_page(select(call), client_id, wanted))
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
    of_call = and_(leg.c.call_id == call.c.id, leg.c.client_id == call.c.client_id)
    query = select(call, *_LEG).join(leg, of_call)
    if wanted.flow:
        query = query.where(leg.c.flow == wanted.flow)
    if wanted.extension_ids:
        of = wanted.extension_ids
        query = query.where(or_(leg.c.extension_id.in_(of), leg.c.bundle_extension_id.in_(of)))
    paged = _page(query, client_id, replace(wanted, flow=""), leg.c.n)
    rows = [dict(row) for row in (await work.execute(paged)).mappings()]
    return [(row, {column.name: row[f"leg_{column.name}"] for column in leg.c}) for row in rows]


async def totals(work: Work, client_id: int, wanted: Filters) -> dict[str, int]:
    """Return how many calls there are of each flow."""
    query, _ = _wanted(select(call.c.flow, func.count().label("total")), client_id, wanted)
    rows = await work.execute(query.group_by(call.c.flow))
    return {row.flow: row.total for row in rows}


def _page(query: Select[Any], client_id: int, wanted: Filters, *then: ColumnElement[Any]) -> Select[Any]:
    """Return the statement of a page: by the beginning of calls, then by `then`."""
    query, by = _wanted(query, client_id, wanted)
    page = wanted.page
    order = [column.desc() for column in by] if page.descending else by
    return query.order_by(*order, *then).limit(page.per_page).offset(page.offset)


def _wanted(
    query: Select[Any], client_id: int, wanted: Filters
) -> tuple[Select[Any], list[ColumnElement[Any]]]:
    """Return a query of calls with its filters, and the columns of an index that calls are ordered by."""
    query = query.where(call.c.client_id == client_id, call.c.hangup_time.is_not(None))
    for column, value in (
        (call.c.flow, wanted.flow),
        (call.c.from_username, wanted.from_username),
        (call.c.to_username, wanted.to_username),
    ):
        if value:
            query = query.where(column == value)
    if not wanted.extension_ids:
        of = call.c
        return query.where(of.init_time.between(wanted.start, wanted.end)), [of.init_time, of.id]
    theirs = _theirs(wanted)
    return query.join(theirs, theirs.c.call_id == call.c.id), [theirs.c.init_time, theirs.c.call_id]


def _theirs(wanted: Filters) -> Subquery:
    """Return the calls that extensions had part in, each once."""
    query = select(call_extension.c.call_id, call_extension.c.init_time).where(
        call_extension.c.extension_id.in_(wanted.extension_ids),
        call_extension.c.init_time.between(wanted.start, wanted.end),
    )
    several = len(set(wanted.extension_ids)) > 1  # of one they are different, and come in order
    return (query.distinct() if several else query).subquery()
