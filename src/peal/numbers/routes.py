"""`/admin/did/`, `/client/{client_id}/did/`, and the `ani` of client and extension."""

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from peal.db.work import Work, reading, writing
from peal.http import administration, realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest, Principal, actor
from peal.http.shape import given, shape
from peal.numbers import repository, service
from peal.numbers.schemas import Ani, AniChange, Did, DidBinding, DidChange, DidCreate

ADMIN = "/admin/did"
LIST = "/client/{client_id:str}/did"
ONE = LIST + "/{did_id:str}"
CLIENT_ANI = "/client/{client_id:str}/ani"
EXTENSION_ANI = "/extension/{extension_id:str}/ani"


@get(ADMIN, tags=["admin"], summary="All outside numbers")
async def list_all_dids(
    request: ApiRequest, page: FromQuery[str] = "", per_page: FromQuery[str] = "", order: FromQuery[str] = ""
) -> list[Did]:
    """Newest first, unless `order` is `asc`."""
    async with administration.reading(request) as work:
        return [shape(row, Did) for row in await repository.page(work, None, page_of(page, per_page, order))]


@post(ADMIN, tags=["admin"], summary="Make an outside number")
async def create_did(request: ApiRequest, data: JSONBody[DidCreate]) -> Did:
    """Of nobody, or given to a client by `client_id`."""
    async with administration.writing(request) as work:
        return shape(await service.create(work, msgspec.structs.asdict(data)), Did)


@get(ADMIN + "/{did_id:str}", tags=["admin"], summary="One outside number, of any client")
async def get_any_did(request: ApiRequest, did_id: FromPath[str]) -> Did:
    """All its fields."""
    async with administration.reading(request) as work:
        return shape(await repository.one(work, realms.number(did_id)), Did)


@put(ADMIN + "/{did_id:str}", tags=["admin"], summary="Give an outside number to a client")
async def change_did(request: ApiRequest, did_id: FromPath[str], data: JSONBody[DidChange]) -> Did:
    """Another `client_id`, or null: it is bound to nothing, and nobody shows it any more."""
    async with administration.writing(request) as work:
        return shape(await service.change(work, realms.number(did_id), given(data)), Did)


@delete(ADMIN + "/{did_id:str}", tags=["admin"], summary="Delete an outside number")
async def delete_did(request: ApiRequest, did_id: FromPath[str]) -> None:
    """Nobody shows it any more."""
    async with administration.writing(request) as work:
        await service.remove(work, realms.number(did_id))


@get(LIST, tags=["did"], summary="Outside numbers of a client")
async def list_dids(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Did]:
    """Newest first, unless `order` is `asc`."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return [
            shape(row, Did) for row in await repository.page(work, client, page_of(page, per_page, order))
        ]


@get(ONE, tags=["did"], summary="One outside number")
async def get_did(request: ApiRequest, client_id: FromPath[str], did_id: FromPath[str]) -> Did:
    """All its fields."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return shape(await repository.one(work, realms.number(did_id), client), Did)


@put(ONE, tags=["did"], summary="Bind an outside number to an extension")
async def bind_did(
    request: ApiRequest, client_id: FromPath[str], did_id: FromPath[str], data: JSONBody[DidBinding]
) -> Did:
    """Calls to it ring that extension, of a main one its whole bundle; null unbinds."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        return shape(await service.bind(work, client, realms.number(did_id), given(data)), Did)


@get(CLIENT_ANI, tags=["ani"], summary="Number that a client's calls show")
async def get_client_ani(request: ApiRequest, client_id: FromPath[str]) -> Ani:
    """Where the extension has none of its own."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return Ani(await repository.shown(work, client, None))


@put(CLIENT_ANI, tags=["ani"], summary="Set the number that a client's calls show")
async def change_client_ani(request: ApiRequest, client_id: FromPath[str], data: JSONBody[AniChange]) -> Ani:
    """A number of the client's, else 400 `ani_not_owned`; an administrator may set any."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        return await _change_ani(work, request.user, (client, None), data)


@get(EXTENSION_ANI, tags=["ani"], summary="Number that an extension's calls show")
async def get_extension_ani(request: ApiRequest, extension_id: FromPath[str]) -> Ani:
    """Its own; without one its calls show that of its main extension, else the client's."""
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        return Ani(await repository.shown(work, place.client_id, place.id))


@put(EXTENSION_ANI, tags=["ani"], summary="Set the number that an extension's calls show")
async def change_extension_ani(
    request: ApiRequest, extension_id: FromPath[str], data: JSONBody[AniChange]
) -> Ani:
    """A number of the client's, else 400 `ani_not_owned`; an administrator may set any."""
    async with writing(request.app.state.database, actor(request)) as work:
        place = await realms.extension_realm(work, request.user, extension_id, write=True)
        return await _change_ani(work, request.user, (place.client_id, place.id), data)


async def _change_ani(work: Work, user: Principal, whose: tuple[int, int | None], data: AniChange) -> Ani:
    """Let an extension, or (None) a client, show the number that was sent."""
    shown = await repository.shown(work, *whose)
    number = given(data).get("ani_number", shown)
    realms.check_own_fields(user, {"ani_number": number}, {"ani_number": shown}, set())
    return Ani(await service.set_ani(work, *whose, number, any_number=user.is_admin))


ROUTES = [
    list_all_dids,
    create_did,
    get_any_did,
    change_did,
    delete_did,
    list_dids,
    get_did,
    bind_did,
    get_client_ani,
    change_client_ani,
    get_extension_ani,
    change_extension_ani,
]
