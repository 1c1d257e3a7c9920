"""What happened: `call_history`, `calls` and `cdr` of a client, `cdr` of an extension; records."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import get
from litestar.params import FromPath, FromQuery
from msgspec.structs import replace

from peal.calls import listing, show
from peal.calls.filters import Filters, filters_of
from peal.calls.schemas import CallHistory, Calls, CallWithLegs, Cdr, Cdrs, Order, Stats, Total
from peal.db.work import Work, reading
from peal.errors import NotFound
from peal.http import realms
from peal.http.principal import ApiRequest

HISTORY = "/client/{client_id:str}/call_history"
CALLS = "/client/{client_id:str}/calls"


@get(HISTORY, tags=["statistics"], summary="Calls with their legs")
async def list_call_history(
    request: ApiRequest,
    client_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
    flow: FromQuery[str] = "",
    extension_id: FromQuery[str] = "",
    from_username: FromQuery[str] = "",
    to_username: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> CallHistory:
    """Calls that are over, by their beginning, newest first; `extension_id`: those that it had part in."""
    wanted = filters_of(request)
    async with _statistics(request) as work:
        client = await realms.client_realm(work, request.user, client_id)
        rows = await listing.calls(work, client, wanted)
        legs = await listing.legs_of(work, client, [row["id"] for row in rows])
    return CallHistory(*_paged(wanted), [show.with_legs(row, legs[row["id"]]) for row in rows])


@get(HISTORY + "/{call_uuid:str}", tags=["statistics"], summary="One call with its legs")
async def get_call(request: ApiRequest, client_id: FromPath[str], call_uuid: FromPath[str]) -> CallWithLegs:
    """A call that is over; its `call_uuid` in any case."""
    call_id = call_uuid.lower()
    if not re.fullmatch("[0-9a-f]{32}", call_id):
        raise NotFound()
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        row = await listing.one(work, client, call_id)
        if row is None:
            raise NotFound()
        legs = await listing.legs_of(work, client, [call_id])
    return show.with_legs(row, legs[call_id])


@get(CALLS, tags=["statistics"], summary="Calls")
async def list_calls(
    request: ApiRequest,
    client_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
    flow: FromQuery[str] = "",
    extension_id: FromQuery[str] = "",
    from_username: FromQuery[str] = "",
    to_username: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> Calls:
    """As `call_history`, without the legs."""
    wanted = filters_of(request)
    async with _statistics(request) as work:
        client = await realms.client_realm(work, request.user, client_id)
        rows = await listing.calls(work, client, wanted)
    return Calls(*_paged(wanted), [show.call(row) for row in rows])


@get(CALLS + "/stats", tags=["statistics"], summary="How many calls")
async def get_stats(
    request: ApiRequest,
    client_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
    flow: FromQuery[str] = "",
    extension_id: FromQuery[str] = "",
    from_username: FromQuery[str] = "",
    to_username: FromQuery[str] = "",
) -> Stats:
    """How many of the calls that are over, by their flow."""
    wanted = filters_of(request)
    async with _statistics(request) as work:
        client = await realms.client_realm(work, request.user, client_id)
        found = await listing.totals(work, client, wanted)
    return Stats(Total(found.get("in", 0)), Total(found.get("out", 0)))


@get("/client/{client_id:str}/cdr", tags=["statistics"], summary="Legs of a client's calls")
async def list_client_cdr(
    request: ApiRequest,
    client_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
    flow: FromQuery[str] = "",
    extension_id: FromQuery[str] = "",
    from_username: FromQuery[str] = "",
    to_username: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> Cdrs:
    """What single phones had of calls; `flow` and `extension_id` are the leg's."""
    wanted = filters_of(request)
    async with _statistics(request) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return await _legs(work, client, wanted)


@get("/extension/{extension_id:str}/cdr", tags=["statistics"], summary="Legs of an extension")
async def list_extension_cdr(
    request: ApiRequest,
    extension_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
    flow: FromQuery[str] = "",
    from_username: FromQuery[str] = "",
    to_username: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> Cdrs:
    """Of a main one with those of its members; of an associated one only its own."""
    wanted = filters_of(request)
    async with _statistics(request) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        return await _legs(work, place.client_id, replace(wanted, extension_ids=(place.id,)))


@get("/client/{client_id:str}/record", tags=["statistics"], summary="Records of a client's calls")
async def list_client_records(
    request: ApiRequest,
    client_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
) -> list[Cdr]:
    """None: calls are not recorded yet."""
    filters_of(request)
    async with reading(request.app.state.database) as work:
        await realms.client_realm(work, request.user, client_id)
    return []


@get("/extension/{extension_id:str}/record", tags=["statistics"], summary="Records of an extension's calls")
async def list_extension_records(
    request: ApiRequest,
    extension_id: FromPath[str],
    start_datetime: FromQuery[str] = "",
    end_datetime: FromQuery[str] = "",
) -> list[Cdr]:
    """None: calls are not recorded yet."""
    filters_of(request)
    async with reading(request.app.state.database) as work:
        await realms.extension_realm(work, request.user, extension_id)
    return []


@asynccontextmanager
async def _statistics(request: ApiRequest) -> AsyncIterator[Work]:
    """Lend a connection to the one statistics request that a user may have at a time."""
    with request.app.state.statistics.one(request.user.user_id):
        async with reading(request.app.state.database) as work:
            yield work


async def _legs(work: Work, client_id: int, wanted: Filters) -> Cdrs:
    found = await listing.legs(work, client_id, wanted)
    return Cdrs(*_paged(wanted), [show.leg(row, own) for row, own in found])


def _paged(wanted: Filters) -> tuple[int, int, Order]:
    page = wanted.page
    return page.page, page.per_page, "desc" if page.descending else "asc"


ROUTES = [
    list_call_history,
    get_call,
    list_calls,
    get_stats,
    list_client_cdr,
    list_extension_cdr,
    list_client_records,
    list_extension_records,
]
