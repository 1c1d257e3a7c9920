"""`/admin/client/` and `/client/client_info/`."""

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from peal.clients import service
from peal.clients.schemas import Client, ClientChange, ClientCreate, ClientInfo, ClientInfoChange
from peal.db.work import reading, writing
from peal.errors import client_not_found
from peal.http import administration, realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest, actor
from peal.http.shape import given, shape

ADMIN = "/admin/client"
INFO = "/client/client_info/{client_id:str}"


@get(ADMIN, tags=["admin"], summary="All clients")
async def list_clients(
    request: ApiRequest, page: FromQuery[str] = "", per_page: FromQuery[str] = "", order: FromQuery[str] = ""
) -> list[Client]:
    """Newest first, unless `order` is `asc`."""
    async with administration.reading(request) as work:
        return [shape(row, Client) for row in await service.page(work, page_of(page, per_page, order))]


@post(ADMIN, tags=["admin"], summary="Make a client")
async def create_client(request: ApiRequest, data: JSONBody[ClientCreate]) -> Client:
    """`domain` and `prefix` together are unique."""
    async with administration.writing(request) as work:
        return shape(await service.create(work, msgspec.structs.asdict(data)), Client)


@get(ADMIN + "/{client_id:str}", tags=["admin"], summary="One client")
async def get_client(request: ApiRequest, client_id: FromPath[str]) -> Client:
    """All its fields."""
    async with administration.reading(request) as work:
        return shape(await service.one(work, realms.number(client_id, client_not_found())), Client)


@put(ADMIN + "/{client_id:str}", tags=["admin"], summary="Change a client")
async def change_client(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[ClientChange]
) -> Client:
    """A blocked client's users get 403, its phones can neither register nor call."""
    async with administration.writing(request) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        answer = shape(await service.change(work, client, given(data)), Client)
    request.app.state.tokens.forget()
    return answer


@delete(ADMIN + "/{client_id:str}", tags=["admin"], summary="Delete a client")
async def delete_client(request: ApiRequest, client_id: FromPath[str]) -> None:
    """With all that it has."""
    async with administration.writing(request) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        await service.remove(work, client)
    request.app.state.tokens.forget()


@get(INFO, tags=["client"], summary="A client and its configuration")
async def get_client_info(request: ApiRequest, client_id: FromPath[str]) -> ClientInfo:
    """All its fields."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return shape(await service.one(work, client), ClientInfo)


@put(INFO, tags=["client"], summary="Change a client's configuration")
async def change_client_info(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[ClientInfoChange]
) -> ClientInfo:
    """Only what is configuration; other keys are ignored."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        return shape(await service.change(work, client, given(data)), ClientInfo)


ROUTES = [
    list_clients,
    create_client,
    get_client,
    change_client,
    delete_client,
    get_client_info,
    change_client_info,
]
