"""`/extension/{extension_id}/callback/`."""

import secrets

from litestar import post
from litestar.params import FromPath, JSONBody

from peal.calls import callback, ids
from peal.calls.callback import Callback
from peal.calls.live_schemas import CallbackCreate, CallbackMade
from peal.db.work import reading, writing
from peal.errors import NotTransferable
from peal.http import realms
from peal.http.principal import ApiRequest, actor


@post(
    "/extension/{extension_id:str}/callback",
    tags=["call"],
    summary="Ring an extension, then bring it to a number",
    opt={"call_api": True},
)
async def call_back(
    request: ApiRequest, extension_id: FromPath[str], data: JSONBody[CallbackCreate]
) -> CallbackMade:
    """The extension's phone that picks up is asked to call `dst_num` itself.

    Answered when the phones begin to ring; if the phone can't call, the call ends. 409 `not_transferable`:
    no phone is registered.
    """
    realms.no_extension_users(request.user)
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        rung = await callback.rung(work, place.id, data.src_num)
    if not any(await request.app.state.switch.registered(rung.addresses)):
        raise NotTransferable("No phone of this extension is registered")
    call_id = secrets.token_hex(16)
    wanted = Callback(
        rung=rung,
        number=data.dst_num,
        shown_number=data.caller_id_number or data.dst_num.rpartition("*")[2] or "anonymous",
        shown_name=data.caller_id_name or "",
        ring_ms=_ring_ms(request, data.wait_for_pickup),
        longest_seconds=data.call_duration or 0,
    )
    made = CallbackMade(ids.call_api_id(rung.main_id, call_id), ids.call_uuid(call_id))
    async with writing(request.app.state.database, actor(request)) as work:
        new = {"call_id": made.call_id, "dst_num": data.dst_num}
        await work.audit("call:callback", place.client_id, place.id, new=new)
        await request.app.state.switch.call_back(call_id, wanted)  # without it nothing is written
    return made


def _ring_ms(request: ApiRequest, seconds: int | None) -> int:
    """Return how long phones ring: less than in any call, whose end the switch as the caller waits for."""
    longest = int(request.app.state.settings.ring_seconds * 1000) - 500
    return min(seconds * 1000, longest) if seconds else longest


ROUTES = [call_back]
