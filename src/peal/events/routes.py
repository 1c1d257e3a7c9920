"""Subscriptions, what became of their events, and secrets: of an extension, and of all of a client's phones.

`/extension/{extension_id}/event/` and `/client/{client_id}/phone_events/`.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Struct

from peal.db.work import Work, reading, writing
from peal.errors import bad_field
from peal.events import repository, service
from peal.events.repository import Owner, Row
from peal.events.schemas import (
    ClientSubscriptionChange,
    ClientSubscriptionCreate,
    Delivery,
    NewSubscription,
    Replayed,
    Secret,
    Subscription,
    SubscriptionChange,
    SubscriptionCreate,
    show,
    show_delivery,
    show_secret,
)
from peal.http import realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest, actor
from peal.http.shape import given, shape

OF_EXTENSION = "/extension/{extension_id:str}/event"
ONE_OF_EXTENSION = OF_EXTENSION + "/{event_id:str}"
OF_CLIENT = "/client/{client_id:str}/phone_events"
ONE_OF_CLIENT = OF_CLIENT + "/{phone_event_id:str}"
CALL_API = {"call_api": True}
"""An application with access `Call API` may do it, too."""
State = Annotated[str, QueryParameter(name="state")]
STATES = ("", "waiting", "delivered", "parked")


@asynccontextmanager
async def _extension(
    request: ApiRequest, extension_id: str, *, write: bool = False
) -> AsyncIterator[tuple[Work, Owner]]:
    """Open the transaction of a request about an extension's subscriptions: its client's business."""
    async with _opened(request, write=write) as work:
        place = await realms.extension_realm(work, request.user, extension_id, write=write)
        realms.no_extension_users(request.user)
        yield work, Owner(place.client_id, place.id)


@asynccontextmanager
async def _client(
    request: ApiRequest, client_id: str, *, write: bool = False
) -> AsyncIterator[tuple[Work, Owner]]:
    """Open the transaction of a request about a client's subscriptions."""
    async with _opened(request, write=write) as work:
        yield work, Owner(await realms.client_realm(work, request.user, client_id, write=write))


def _opened(request: ApiRequest, *, write: bool) -> AbstractAsyncContextManager[Work]:
    database = request.app.state.database
    return writing(database, actor(request)) if write else reading(database)


# Of an extension


@get(OF_EXTENSION, tags=["event"], summary="Subscriptions to an extension's events")
async def list_events(
    request: ApiRequest,
    extension_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Subscription]:
    """Newest first, unless `order` is `asc`."""
    async with _extension(request, extension_id) as (work, owner):
        return [show(row) for row in await repository.page(work, owner, page_of(page, per_page, order))]


@post(OF_EXTENSION, tags=["event"], summary="Subscribe to an extension's events", opt=CALL_API)
async def create_event(
    request: ApiRequest, extension_id: FromPath[str], data: JSONBody[SubscriptionCreate]
) -> NewSubscription:
    """Of a main extension: to those of its bundle. An associated extension's are kept, and silent."""
    async with _extension(request, extension_id, write=True) as opened:
        return await _create(request, *opened, data)


@delete(OF_EXTENSION, tags=["event"], summary="End all subscriptions of an extension", opt=CALL_API)
async def delete_events(request: ApiRequest, extension_id: FromPath[str]) -> None:
    """What still waits for them is dropped."""
    async with _extension(request, extension_id, write=True) as (work, owner):
        await service.remove(work, owner)


@get(ONE_OF_EXTENSION, tags=["event"], summary="One subscription")
async def get_event(
    request: ApiRequest, extension_id: FromPath[str], event_id: FromPath[str]
) -> Subscription:
    """All its fields but the secret."""
    async with _extension(request, extension_id) as (work, owner):
        return show(await _row(work, owner, event_id))


@put(ONE_OF_EXTENSION, tags=["event"], summary="Change a subscription", opt=CALL_API)
async def change_event(
    request: ApiRequest,
    extension_id: FromPath[str],
    event_id: FromPath[str],
    data: JSONBody[SubscriptionChange],
) -> Subscription:
    """Only the keys sent; one that is `disabled` begins anew."""
    async with _extension(request, extension_id, write=True) as opened:
        return await _change(request, *opened, event_id, data)


@delete(ONE_OF_EXTENSION, tags=["event"], summary="End a subscription", opt=CALL_API)
async def delete_event(request: ApiRequest, extension_id: FromPath[str], event_id: FromPath[str]) -> None:
    """What still waits for it is dropped."""
    async with _extension(request, extension_id, write=True) as (work, owner):
        await service.remove(work, owner, _id(event_id))


@post(ONE_OF_EXTENSION + "/secret", tags=["event"], summary="Give a new secret", opt=CALL_API)
async def rotate_event(request: ApiRequest, extension_id: FromPath[str], event_id: FromPath[str]) -> Secret:
    """For a day both sign, so no event goes unverified while a receiver learns the new one."""
    async with _extension(request, extension_id, write=True) as (work, owner):
        return show_secret(await service.rotate(work, await _row(work, owner, event_id)))


@get(ONE_OF_EXTENSION + "/delivery", tags=["event"], summary="What became of a subscription's events")
async def list_event_deliveries(
    request: ApiRequest,
    extension_id: FromPath[str],
    event_id: FromPath[str],
    state_is: State = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Delivery]:
    """With every request made; newest first, unless `order` is `asc`."""
    async with _extension(request, extension_id) as opened:
        return await _deliveries(*opened, event_id, state_is, (page, per_page, order))


@post(ONE_OF_EXTENSION + "/replay", tags=["event"], summary="Send again all that was given up", opt=CALL_API)
async def replay_event(request: ApiRequest, extension_id: FromPath[str], event_id: FromPath[str]) -> Replayed:
    """Those that are `parked`."""
    async with _extension(request, extension_id, write=True) as opened:
        return await _replay_parked(*opened, event_id)


@post(
    ONE_OF_EXTENSION + "/delivery/{delivery_id:str}/replay",
    tags=["event"],
    summary="Send an event again",
    opt=CALL_API,
)
async def replay_event_delivery(
    request: ApiRequest, extension_id: FromPath[str], event_id: FromPath[str], delivery_id: FromPath[str]
) -> Delivery:
    """Whatever became of it; it keeps its `webhook-id`."""
    async with _extension(request, extension_id, write=True) as opened:
        return await _replay(*opened, event_id, delivery_id)


# Of a client


@get(OF_CLIENT, tags=["event"], summary="Subscriptions to events of all phones of a client")
async def list_phone_events(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Subscription]:
    """Newest first, unless `order` is `asc`."""
    async with _client(request, client_id) as (work, owner):
        return [show(row) for row in await repository.page(work, owner, page_of(page, per_page, order))]


@post(OF_CLIENT, tags=["event"], summary="Subscribe to events of all phones of a client", opt=CALL_API)
async def create_phone_event(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[ClientSubscriptionCreate]
) -> NewSubscription:
    """Of a bundle its main extension speaks. One type more: `extension-call-status`."""
    async with _client(request, client_id, write=True) as opened:
        return await _create(request, *opened, data)


@get(ONE_OF_CLIENT, tags=["event"], summary="One subscription")
async def get_phone_event(
    request: ApiRequest, client_id: FromPath[str], phone_event_id: FromPath[str]
) -> Subscription:
    """All its fields but the secret."""
    async with _client(request, client_id) as (work, owner):
        return show(await _row(work, owner, phone_event_id))


@put(ONE_OF_CLIENT, tags=["event"], summary="Change a subscription", opt=CALL_API)
async def change_phone_event(
    request: ApiRequest,
    client_id: FromPath[str],
    phone_event_id: FromPath[str],
    data: JSONBody[ClientSubscriptionChange],
) -> Subscription:
    """Only the keys sent; one that is `disabled` begins anew."""
    async with _client(request, client_id, write=True) as opened:
        return await _change(request, *opened, phone_event_id, data)


@delete(ONE_OF_CLIENT, tags=["event"], summary="End a subscription", opt=CALL_API)
async def delete_phone_event(
    request: ApiRequest, client_id: FromPath[str], phone_event_id: FromPath[str]
) -> None:
    """What still waits for it is dropped."""
    async with _client(request, client_id, write=True) as (work, owner):
        await service.remove(work, owner, _id(phone_event_id))


@post(ONE_OF_CLIENT + "/secret", tags=["event"], summary="Give a new secret", opt=CALL_API)
async def rotate_phone_event(
    request: ApiRequest, client_id: FromPath[str], phone_event_id: FromPath[str]
) -> Secret:
    """For a day both sign, so no event goes unverified while a receiver learns the new one."""
    async with _client(request, client_id, write=True) as (work, owner):
        return show_secret(await service.rotate(work, await _row(work, owner, phone_event_id)))


@get(ONE_OF_CLIENT + "/delivery", tags=["event"], summary="What became of a subscription's events")
async def list_phone_event_deliveries(
    request: ApiRequest,
    client_id: FromPath[str],
    phone_event_id: FromPath[str],
    state_is: State = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Delivery]:
    """With every request made; newest first, unless `order` is `asc`."""
    async with _client(request, client_id) as opened:
        return await _deliveries(*opened, phone_event_id, state_is, (page, per_page, order))


@post(ONE_OF_CLIENT + "/replay", tags=["event"], summary="Send again all that was given up", opt=CALL_API)
async def replay_phone_event(
    request: ApiRequest, client_id: FromPath[str], phone_event_id: FromPath[str]
) -> Replayed:
    """Those that are `parked`."""
    async with _client(request, client_id, write=True) as opened:
        return await _replay_parked(*opened, phone_event_id)


@post(
    ONE_OF_CLIENT + "/delivery/{phone_delivery_id:str}/replay",
    tags=["event"],
    summary="Send an event again",
    opt=CALL_API,
)
async def replay_phone_event_delivery(
    request: ApiRequest,
    client_id: FromPath[str],
    phone_event_id: FromPath[str],
    phone_delivery_id: FromPath[str],
) -> Delivery:
    """Whatever became of it; it keeps its `webhook-id`."""
    async with _client(request, client_id, write=True) as opened:
        return await _replay(*opened, phone_event_id, phone_delivery_id)


# Of both


async def _create(request: ApiRequest, work: Work, owner: Owner, data: Struct) -> NewSubscription:
    allowed = request.app.state.settings.private_targets
    return shape(await service.create(work, owner, msgspec.structs.asdict(data), allowed), NewSubscription)


async def _change(request: ApiRequest, work: Work, owner: Owner, event_id: str, data: Struct) -> Subscription:
    row, allowed = await _row(work, owner, event_id), request.app.state.settings.private_targets
    return show(await service.change(work, row, given(data), allowed))


async def _deliveries(
    work: Work, owner: Owner, event_id: str, state: str, paging: tuple[str, str, str]
) -> list[Delivery]:
    if state not in STATES:
        raise bad_field("state", "must be waiting, delivered or parked")
    row, wanted = await _row(work, owner, event_id), page_of(*paging)
    return [show_delivery(each) for each in await repository.deliveries(work, row["id"], state, wanted)]


async def _replay(work: Work, owner: Owner, event_id: str, delivery_id: str) -> Delivery:
    row = await _row(work, owner, event_id)
    return show_delivery(await service.replay(work, row, _id(delivery_id)))


async def _replay_parked(work: Work, owner: Owner, event_id: str) -> Replayed:
    return Replayed(await service.replay_parked(work, await _row(work, owner, event_id)))


async def _row(work: Work, owner: Owner, event_id: str) -> Row:
    return await repository.one(work, owner, _id(event_id))


def _id(text: str) -> int:
    return realms.number(text)


ROUTES = [
    list_events,
    create_event,
    delete_events,
    get_event,
    change_event,
    delete_event,
    rotate_event,
    list_event_deliveries,
    replay_event,
    replay_event_delivery,
    list_phone_events,
    create_phone_event,
    get_phone_event,
    change_phone_event,
    delete_phone_event,
    rotate_phone_event,
    list_phone_event_deliveries,
    replay_phone_event,
    replay_phone_event_delivery,
]
