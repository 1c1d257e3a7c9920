"""`/client/{client_id}/stream/`: events as they happen, as server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery, HeaderParameter
from litestar.response import Stream

from peal.db.failures import FAILURES
from peal.db.work import reading
from peal.errors import bad_field
from peal.events import log
from peal.events.log import Entry, Position
from peal.http import ending, realms
from peal.http.listing import whole_number
from peal.http.principal import ApiRequest

LOOK_SECONDS = 0.25
"""Between two looks at the log."""
BEAT_SECONDS = 15.0
"""Between two signs of life; the token is looked at, too."""
LONGEST_SECONDS = 3600
LastEventId = Annotated[
    str | None,
    HeaderParameter(name="Last-Event-ID", description="Go on after this event; absent: from now on"),
]


@get(
    "/client/{client_id:str}/stream",
    tags=["event"],
    summary="Events as they happen",
    media_type="text/event-stream",
)
async def stream(
    request: ApiRequest,
    client_id: FromPath[str],
    seconds: FromQuery[str] = "",
    last_event_id: LastEventId = None,
) -> Stream:
    """Server-sent events, the same facts that subscribers are told, as JSON.

    Ends after `seconds`, at most 3600. After an end, connect again with `Last-Event-ID`: nothing is missed.
    """
    lasts = whole_number("seconds", seconds)
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        position = _position(last_event_id) or await log.end(work)
    until = time.monotonic() + min(LONGEST_SECONDS if lasts is None else lasts, LONGEST_SECONDS)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_events(request, client, position, until), headers=headers)


def _position(text: str | None) -> Position | None:
    try:
        return Position.of(text) if text else None
    except ValueError as error:
        raise bad_field("Last-Event-ID", str(error)) from error


async def _events(
    request: ApiRequest, client_id: int, position: Position, until: float
) -> AsyncIterator[bytes]:
    yield b"retry: 1000\nid: %b\n\n" % str(position).encode()
    beat = time.monotonic() + BEAT_SECONDS
    while True:
        for entry in await _look(request, client_id, position):
            yield _text(entry)
            position = entry.position
        if time.monotonic() >= until or ending.heard():
            return
        if time.monotonic() >= beat:
            if not await _may_listen(request):
                return
            yield b": still here\n\n"
            beat = time.monotonic() + BEAT_SECONDS
        await asyncio.sleep(LOOK_SECONDS)


async def _look(request: ApiRequest, client_id: int, position: Position) -> list[Entry]:
    """Return what is new; nothing, while the database is away."""
    try:
        async with reading(request.app.state.database) as work:
            return list(await log.after(work, client_id, position))
    except FAILURES:
        return []


async def _may_listen(request: ApiRequest) -> bool:
    """Return whether the token is still good."""
    bearer = request.headers["authorization"].partition(" ")[2].strip()
    try:
        principal = await request.app.state.tokens.principal(bearer)
    except FAILURES:
        return True
    return principal is not None and not principal.blocked


def _text(entry: Entry) -> bytes:
    data = msgspec.json.encode(entry.parameters)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        str(entry.position).encode(),
        entry.event_type.encode(),
        data,
    )


ROUTES = [stream]
