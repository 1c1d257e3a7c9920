"""`/extension/{extension_id}/phone/`."""

from typing import Any

from litestar import get, put
from litestar.params import FromPath, JSONBody

from peal.db.work import reading, writing
from peal.http import realms
from peal.http.principal import ApiRequest, actor
from peal.http.shape import given, shape
from peal.phones import service
from peal.phones.schemas import Phone, PhoneChange

PATH = "/extension/{extension_id:str}/phone"


@get(PATH, tags=["phone"], summary="PhoneProperties")
async def get_phone(request: ApiRequest, extension_id: FromPath[str]) -> Phone:
    """`password` is always null here."""
    async with reading(request.app.state.database) as work:
        place = await realms.extension_realm(work, request.user, extension_id)
        return show(await service.get(work, place.id))


@put(PATH, tags=["phone"], summary="Change PhoneProperties")
async def change_phone(
    request: ApiRequest, extension_id: FromPath[str], data: JSONBody[PhoneChange]
) -> Phone:
    """Only the keys sent; synchronised ones change for the whole bundle. Shows a password that it sets."""
    async with writing(request.app.state.database, actor(request)) as work:
        place = await realms.extension_realm(work, request.user, extension_id, write=True)
        row, values = await service.get(work, place.id), given(data)
        realms.check_own_fields(request.user, values, row, {"label", "password"})
        return show(await service.change(work, row, values))


def show(row: dict[str, Any]) -> Phone:
    """Return a phone's row as the API shows it."""
    main_id = row["bundle_id"] if row["bundle_list"] else None
    return shape({"password": None, **row, "bundle_id": main_id}, Phone)


ROUTES = [get_phone, change_phone]
