"""The five verbs on a client's things: `/client/{client_id}/<kind>/[{id}]`."""

from collections.abc import Mapping, Sequence
from typing import Any

from peal.catalogue import service
from peal.catalogue.service import Kind
from peal.db.work import reading, writing
from peal.http import realms
from peal.http.principal import ApiRequest, actor
from peal.kit.paging import Page

Row = dict[str, Any]


async def page(
    request: ApiRequest,
    kind: Kind,
    client_id: str,
    wanted: Page,
    filters: Mapping[str, Sequence[Any]] | None = None,
) -> list[Row]:
    """Answer GET on the collection."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return await service.page(work, kind, client, wanted, filters or {})


async def one(request: ApiRequest, kind: Kind, client_id: str, object_id: str) -> Row:
    """Answer GET on a thing."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        return await service.one(work, kind, client, realms.number(object_id))


async def create(request: ApiRequest, kind: Kind, client_id: str, values: Mapping[str, Any]) -> Row:
    """Answer POST."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        return await service.create(work, kind, client, values)


async def change(
    request: ApiRequest, kind: Kind, client_id: str, object_id: str, values: Mapping[str, Any]
) -> Row:
    """Answer PUT."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        return await service.change(work, kind, client, realms.number(object_id), values)


async def delete(request: ApiRequest, kind: Kind, client_id: str, object_id: str) -> None:
    """Answer DELETE."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        await service.remove(work, kind, client, realms.number(object_id))
