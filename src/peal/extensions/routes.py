"""`/client/{client_id}/extension/`, and who is registered."""

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from peal.db.work import reading, writing
from peal.extensions import repository, service
from peal.extensions.schemas import Extension, ExtensionChange, ExtensionCreate
from peal.http import realms
from peal.http.listing import page_of, whole_number
from peal.http.principal import ApiRequest, actor
from peal.http.shape import given, shape
from peal.kit import dates
from peal.kit.numbers import full_name
from peal.switch.control import Registered

LIST = "/client/{client_id:str}/extension"
ONE = LIST + "/{extension_id:str}"


@get(LIST, tags=["extension"], summary="Extensions of a client")
async def list_extensions(
    request: ApiRequest,
    client_id: FromPath[str],
    kind: Annotated[str, QueryParameter(name="type")] = "",
    status: FromQuery[str] = "",
    name: FromQuery[str] = "",
    extension_group_id: FromQuery[str] = "",
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Extension]:
    """Filters: `type`, `status`, `name` (full or short, exactly), `extension_group_id`."""
    wanted = page_of(page, per_page, order)
    filters = {"type": kind, "status": status, "name": name}
    found: dict[str, Any] = {key: value for key, value in filters.items() if value}
    if request.user.role == "extension":
        found["id"] = request.user.extension_id
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id, extension_users=True)
        if whole_number("extension_group_id", extension_group_id) is not None:
            return []
        rows = await repository.page(work, client, found, wanted)
    return [show(row) for row in rows]


@post(LIST, tags=["extension"], summary="Make an extension")
async def create_extension(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[ExtensionCreate]
) -> Extension:
    """It stands alone, blocked unless `status` says otherwise; no phone registers without a password."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        emergency = request.app.state.settings.emergencies
        return show(await service.create(work, client, given(data), emergency=emergency))


@get(ONE, tags=["extension"], summary="One extension")
async def get_extension(
    request: ApiRequest, client_id: FromPath[str], extension_id: FromPath[str]
) -> Extension:
    """All its fields."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id, extension_users=True)
        place = await realms.find_extension(work, request.user, extension_id, client)
        return show(await repository.one(work, place.id))


@put(ONE, tags=["extension"], summary="Change an extension")
async def change_extension(
    request: ApiRequest,
    client_id: FromPath[str],
    extension_id: FromPath[str],
    data: JSONBody[ExtensionChange],
) -> Extension:
    """Only the keys sent; synchronised ones change for the whole bundle."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True, extension_users=True)
        place = await realms.find_extension(work, request.user, extension_id, client)
        row, values = await repository.one(work, place.id), given(data)
        realms.check_own_fields(request.user, values, row, {"label"})
        return show(await service.change(work, row, values))


@delete(ONE, tags=["extension"], summary="Delete an extension")
async def delete_extension(
    request: ApiRequest, client_id: FromPath[str], extension_id: FromPath[str]
) -> None:
    """It leaves its bundle; a main one dissolves it, and the others keep their values."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        place = await realms.find_extension(work, request.user, extension_id, client)
        await service.remove(work, place.id)
    request.app.state.tokens.forget()


class Registration(msgspec.Struct):
    """A phone that has registered."""

    registration_id: str
    contact_address: str
    """The URI that the phone gave."""
    real_address: str
    """Address and port that it is reached at: behind NAT another than it gave."""
    expires: str
    device: str | None
    """What the phone calls itself (User-Agent)."""


class RegistrationState(msgspec.Struct):
    """Whether phones of an extension are registered, and which."""

    registered: bool
    extension_id: int
    registrations: list[Registration]


@get("/extension/{extension_id:str}/registration", tags=["extension"], summary="Who is registered")
async def get_registration(request: ApiRequest, extension_id: FromPath[str]) -> RegistrationState:
    """Live from the SIP service; 503 `switch_unavailable` if it can't tell within a second."""
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        address = repository.sip_address(await repository.one(work, place.id))
    (phones,) = await request.app.state.switch.registered([address])
    return _state(place.id, phones)


@get("/extension/registration", tags=["extension"], summary="Who is registered, all extensions")
async def list_registrations(
    request: ApiRequest, page: FromQuery[str] = "", per_page: FromQuery[str] = "", order: FromQuery[str] = ""
) -> list[RegistrationState]:
    """All phone extensions that the token sees; 503 `switch_unavailable` as with one."""
    wanted = page_of(page, per_page, order)
    found: dict[str, Any] = {"type": "phone"}
    if request.user.role == "extension":
        found["id"] = request.user.extension_id
    async with reading(request.app.state.database) as work:
        rows = await repository.page(work, request.user.client_id, found, wanted)
    phones = await request.app.state.switch.registered([repository.sip_address(row) for row in rows])
    return [_state(row["id"], own) for row, own in zip(rows, phones, strict=True)]


def _state(extension_id: int, phones: list[Registered]) -> RegistrationState:
    shown = [
        Registration(p.registration_id, p.contact_address, p.real_address, dates.text(p.expires), p.device)
        for p in phones
    ]
    return RegistrationState(bool(phones), extension_id, shown)


def show(row: dict[str, Any]) -> Extension:
    """Return an extension's row as the API shows it."""
    more = {
        "name": full_name(row["prefix"], row["number"]),
        "extension_group_id": None,
    }
    return shape({**row, **more}, Extension)


ROUTES = [
    list_extensions,
    create_extension,
    get_extension,
    change_extension,
    delete_extension,
    get_registration,
    list_registrations,
]
