"""`/admin/trunk/`."""

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from peal.http import administration, realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest
from peal.http.shape import given, shape
from peal.trunks import repository, service
from peal.trunks.schemas import Trunk, TrunkChange, TrunkCreate

LIST = "/admin/trunk"
ONE = LIST + "/{trunk_id:str}"


@get(LIST, tags=["admin"], summary="All trunks")
async def list_trunks(
    request: ApiRequest, page: FromQuery[str] = "", per_page: FromQuery[str] = "", order: FromQuery[str] = ""
) -> list[Trunk]:
    """Newest first, unless `order` is `asc`."""
    async with administration.reading(request) as work:
        return [shape(row, Trunk) for row in await repository.page(work, page_of(page, per_page, order))]


@post(LIST, tags=["admin"], summary="Make a trunk")
async def create_trunk(request: ApiRequest, data: JSONBody[TrunkCreate]) -> Trunk:
    """Of one client (`client_id`) or of all; a client's own are tried first, then by `priority`."""
    async with administration.writing(request) as work:
        return shape(await service.create(work, given(data)), Trunk)


@get(ONE, tags=["admin"], summary="One trunk")
async def get_trunk(request: ApiRequest, trunk_id: FromPath[str]) -> Trunk:
    """All its fields but the password."""
    async with administration.reading(request) as work:
        return shape(await repository.one(work, realms.number(trunk_id)), Trunk)


@put(ONE, tags=["admin"], summary="Change a trunk")
async def change_trunk(request: ApiRequest, trunk_id: FromPath[str], data: JSONBody[TrunkChange]) -> Trunk:
    """Only the keys sent; another login or realm needs the password again."""
    async with administration.writing(request) as work:
        return shape(await service.change(work, realms.number(trunk_id), given(data)), Trunk)


@delete(ONE, tags=["admin"], summary="Delete a trunk")
async def delete_trunk(request: ApiRequest, trunk_id: FromPath[str]) -> None:
    """Calls that are up go on."""
    async with administration.writing(request) as work:
        await service.remove(work, realms.number(trunk_id))


ROUTES = [list_trunks, create_trunk, get_trunk, change_trunk, delete_trunk]
