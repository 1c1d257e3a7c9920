"""Calls that ring or talk: `current_calls` of a client and of an extension, and what can be done with them.

Which calls there are the database knows, as far as events have come; that they still are the switch says.
"""

from litestar import delete, get, put
from litestar.params import FromPath, JSONBody

from peal.calls import ids, live
from peal.calls.live import Side
from peal.calls.live_schemas import CallAction, LiveCall, LiveCalls, show
from peal.db.work import reading, writing
from peal.errors import NotFound, NotTransferable
from peal.http import realms
from peal.http.principal import ApiRequest, actor

LIST = "/extension/{extension_id:str}/current_calls"
ONE = LIST + "/{call_api_id:str}"


@get("/client/{client_id:str}/current_calls", tags=["call"], summary="Calls that ring or talk")
async def list_client_calls(request: ApiRequest, client_id: FromPath[str]) -> LiveCalls:
    """Each once for each side that is one of us; 503 `switch_unavailable` if the SIP service can't tell."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        found = await live.sides(work, client)
        extensions = await live.parties(work, found)
    return LiveCalls([show(side, extensions) for side in await _are(request, found)])


@get(LIST, tags=["call"], summary="Calls of an extension that ring or talk")
async def list_extension_calls(request: ApiRequest, extension_id: FromPath[str]) -> LiveCalls:
    """Of a main one with those of its members; of an associated one only its own."""
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        found = await live.sides(work, place.client_id, place.id)
        extensions = await live.parties(work, found)
    return LiveCalls([show(side, extensions) for side in await _are(request, found)])


@delete(ONE, tags=["call"], summary="End a call", opt={"call_api": True})
async def end_call(request: ApiRequest, extension_id: FromPath[str], call_api_id: FromPath[str]) -> None:
    """Whether it rings or talks; 404 if it is over, or none of this extension's."""
    side = await _own_side(request, extension_id, call_api_id)
    if not await request.app.state.switch.hang_up(side.part_id):
        raise NotFound()
    await _audit(request, "call:hangup", side)


@put(ONE, tags=["call"], summary="Transfer or move a call", opt={"call_api": True})
async def change_call(
    request: ApiRequest, extension_id: FromPath[str], call_api_id: FromPath[str], data: JSONBody[CallAction]
) -> LiveCall:
    """The other side's phone is asked to call `send_dst`, or the phone to move to, instead of this side's.

    Answered when it does; the old call ends when the new one is answered. 409 `not_transferable` if that
    phone can't, does not within 5 s, or is on an outside line: the call goes on.
    """
    side = await _own_side(request, extension_id, call_api_id)
    number, takes = data.send_dst, None
    if data.action == "move":
        number, takes = await _phone_to_move_to(request, side, data.send_dst)
    if not await request.app.state.switch.refer(side.part_id, side.is_caller, number, takes):
        raise NotTransferable()
    await _audit(request, f"call:{data.action}", side)
    async with reading(request.app.state.database) as work:
        return show(side, await live.parties(work, [side]))


async def _phone_to_move_to(request: ApiRequest, side: Side, number: str) -> tuple[str, str]:
    """Return whom the other side calls, as it knows the bundle, and whose phones shall ring."""
    async with reading(request.app.state.database) as work:
        member = await live.member(work, side, number)
    [phones] = await request.app.state.switch.registered([member.address])
    if not phones:
        raise NotTransferable(f"No phone of {number} is registered, the call goes on")
    seen = member.number if side.is_between_members else member.main_number
    return seen, member.number


async def _are(request: ApiRequest, found: list[Side]) -> list[Side]:
    """Return those of calls that the switch still has."""
    there = await request.app.state.switch.live([side.part_id for side in found])
    return [side for side in found if side.part_id in there]


async def _own_side(request: ApiRequest, extension_id: str, call_api_id: str) -> Side:
    """Return the side of a call that a path names, for a command; an extension's user gives none."""
    realms.no_extension_users(request.user)
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        found = await live.sides(work, place.client_id, place.id)
    call_id = ids.call_of(call_api_id)
    named = [side for side in found if side.id == call_id]
    if not named:
        raise NotFound()
    return next((side for side in named if side.api_id == call_api_id), named[0])


async def _audit(request: ApiRequest, action: str, side: Side) -> None:
    new = {"call_id": ids.call_uuid(side.id)}
    async with writing(request.app.state.database, actor(request)) as work:
        await work.audit(action, side.call["client_id"], side.extension_id, new=new)


ROUTES = [list_client_calls, list_extension_calls, change_call, end_call]
