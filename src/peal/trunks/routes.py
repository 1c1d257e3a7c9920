"""`/admin/trunk/`."""

from typing import Any

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

from peal.db.work import reading, writing
from peal.errors import NotFound
from peal.http import realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest, actor
from peal.http.shape import given, shape
from peal.kit import dates
from peal.trunks import repository, service
from peal.trunks.schemas import Trunk, TrunkChange, TrunkCreate

LIST = "/admin/trunk"
ONE = LIST + "/{trunk_id:str}"


@get(LIST, tags=["admin"], summary="All trunks")
async def list_trunks(
    request: ApiRequest, page: FromQuery[str] = "", per_page: FromQuery[str] = "", order: FromQuery[str] = ""
) -> list[Trunk]:
    """Newest first, unless `order` is `asc`."""
    realms.administrator(request.user)
    async with reading(request.app.state.database) as work:
        return [_show(row) for row in await repository.page(work, page_of(page, per_page, order))]


@post(LIST, tags=["admin"], summary="Make a trunk")
async def create_trunk(request: ApiRequest, data: JSONBody[TrunkCreate]) -> Trunk:
    """Of one client (`client_id`) or of all; a client's own are tried first, then by `priority`."""
    realms.administrator(request.user)
    async with writing(request.app.state.database, actor(request)) as work:
        return _show(await service.create(work, given(data)))


@get(ONE, tags=["admin"], summary="One trunk")
async def get_trunk(request: ApiRequest, trunk_id: FromPath[str]) -> Trunk:
    """All its fields but the password."""
    realms.administrator(request.user)
    async with reading(request.app.state.database) as work:
        return _show(await repository.one(work, _id(trunk_id)))


@put(ONE, tags=["admin"], summary="Change a trunk")
async def change_trunk(request: ApiRequest, trunk_id: FromPath[str], data: JSONBody[TrunkChange]) -> Trunk:
    """Only the keys sent; another login or realm needs the password again."""
    realms.administrator(request.user)
    async with writing(request.app.state.database, actor(request)) as work:
        return _show(await service.change(work, _id(trunk_id), given(data)))


@delete(ONE, tags=["admin"], summary="Delete a trunk")
async def delete_trunk(request: ApiRequest, trunk_id: FromPath[str]) -> None:
    """Calls that are up go on."""
    realms.administrator(request.user)
    async with writing(request.app.state.database, actor(request)) as work:
        await service.remove(work, _id(trunk_id))


def _id(text: str) -> int:
    return realms.number(text, NotFound())


def _show(row: dict[str, Any]) -> Trunk:
    return shape({**row, "create_date": dates.text(row["create_date"])}, Trunk)


ROUTES = [list_trunks, create_trunk, get_trunk, change_trunk, delete_trunk]
