"""`/client/{client_id}/extensions_bundle/`."""

from typing import Annotated

from litestar import Response, delete, get, post
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody

from peal.bundles import fast, model, repository, service
from peal.bundles.schemas import Bundle, BundleList
from peal.db.work import reading, writing
from peal.http import realms
from peal.http.listing import page_of
from peal.http.principal import ApiRequest, actor

LIST = "/client/{client_id:str}/extensions_bundle"
ONE = LIST + "/{extension_id:str}"
IfMatch = Annotated[
    str | None, HeaderParameter(name="If-Match", description="ETag of the bundle as you know it")
]


@get(LIST, tags=["bundle"], summary="All bundles of a client")
async def list_bundles(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[Bundle]:
    """Main extensions with those associated with them, ordered by `bundle_id`."""
    async with reading(request.app.state.database) as work:
        client = await realms.client_realm(work, request.user, client_id)
        found = await repository.page(work, client, page_of(page, per_page, order or "asc"))
    return [Bundle(associated, main_id) for main_id, associated in found]


@get(ONE, tags=["bundle"], summary="The bundle that an extension is in")
async def get_bundle(
    request: ApiRequest, client_id: FromPath[str], extension_id: FromPath[str]
) -> Response[Bundle]:
    """`bundle_id` is the main extension; of an extension in no bundle itself, with an empty list."""
    database = request.app.state.database
    found = await fast.bundle(database, request.user, client_id, extension_id)
    if found is None:
        async with reading(database) as work:
            client = await realms.client_realm(work, request.user, client_id)
            place = await realms.find_extension(work, request.user, extension_id, client)
            found = await repository.of_extension(work, place.id)
    main_id, associated = found
    return Response(Bundle(associated, main_id), headers={"ETag": model.etag(main_id, associated)})


@post(ONE, tags=["bundle"], summary="Set the extensions associated with a main one")
async def set_bundle(
    request: ApiRequest,
    client_id: FromPath[str],
    extension_id: FromPath[str],
    data: JSONBody[BundleList],
    if_match: IfMatch = None,
) -> Response[Bundle]:
    """The list replaces the one before; the associated extensions take over the main one's parameters."""
    listed = data.ids()
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        place = await realms.find_extension(work, request.user, extension_id, client)
        associated = await service.associate(
            work,
            place.id,
            listed,
            limit=request.app.state.settings.bundle_limit,
            is_admin=request.user.is_admin,
            if_match=if_match,
        )
    return Response(Bundle(list(associated), place.id), headers={"ETag": model.etag(place.id, associated)})


@delete(ONE, tags=["bundle"], summary="Untie all associated extensions", status_code=200)
async def untie_bundle(
    request: ApiRequest, client_id: FromPath[str], extension_id: FromPath[str], if_match: IfMatch = None
) -> Bundle:
    """Parameters stay as they are; the path must name the main extension."""
    async with writing(request.app.state.database, actor(request)) as work:
        client = await realms.client_realm(work, request.user, client_id, write=True)
        place = await realms.find_extension(work, request.user, extension_id, client)
        await service.untie(work, place.id, if_match)
    return Bundle([], place.id)


ROUTES = [list_bundles, get_bundle, set_bundle, untie_bundle]
