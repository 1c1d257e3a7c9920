"""`/client/{client_id}/extension/call_status/` and what a status is made of."""

from typing import Annotated

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from peal.catalogue.service import Kind
from peal.http import things
from peal.http.listing import page_of
from peal.http.principal import ApiRequest
from peal.http.shape import given, shape
from peal.http.values import Line
from peal.statuses import model
from peal.statuses.model import Mnemo
from peal.statuses.tables import call_status

LIST = "/client/{client_id:str}/extension/call_status"
ONE = LIST + "/{call_status_id:str}"
STATUSES = Kind(call_status)
Properties = Annotated[
    list[Mnemo], Meta(max_length=20, description="Which calls the phone takes part in: the union")
]


class CallStatus(Struct):
    """A call status."""

    id: int
    name: str
    property_list: list[Mnemo]
    create_dt: str


class CallStatusCreate(Struct):
    """A new call status."""

    name: Line
    property_list: Properties


class CallStatusChange(Struct):
    """Fields of a call status that a PUT may carry."""

    name: Line | UnsetType = UNSET
    property_list: Properties | UnsetType = UNSET


class CallProperty(Struct):
    """A kind of calls, by its `mnemo`."""

    mnemo: Mnemo
    name: str
    description: str


@get(LIST, tags=["call_status"], summary="Call statuses of a client")
async def list_call_statuses(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[CallStatus]:
    """Newest first, unless `order` is `asc`."""
    rows = await things.page(request, STATUSES, client_id, page_of(page, per_page, order))
    return [shape(row, CallStatus) for row in rows]


@post(LIST, tags=["call_status"], summary="Make a call status")
async def create_call_status(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[CallStatusCreate]
) -> CallStatus:
    """A phone gets it by `call_status_id`."""
    return shape(await things.create(request, STATUSES, client_id, given(data)), CallStatus)


@get(ONE, tags=["call_status"], summary="One call status")
async def get_call_status(
    request: ApiRequest, client_id: FromPath[str], call_status_id: FromPath[str]
) -> CallStatus:
    """All its fields."""
    return shape(await things.one(request, STATUSES, client_id, call_status_id), CallStatus)


@put(ONE, tags=["call_status"], summary="Change a call status")
async def change_call_status(
    request: ApiRequest,
    client_id: FromPath[str],
    call_status_id: FromPath[str],
    data: JSONBody[CallStatusChange],
) -> CallStatus:
    """Only the keys sent; all phones that have it follow."""
    return shape(await things.change(request, STATUSES, client_id, call_status_id, given(data)), CallStatus)


@delete(ONE, tags=["call_status"], summary="Delete a call status")
async def delete_call_status(
    request: ApiRequest, client_id: FromPath[str], call_status_id: FromPath[str]
) -> None:
    """400 `still_used` while a phone has it."""
    await things.delete(request, STATUSES, client_id, call_status_id)


@get("/extension/call_property", tags=["call_status"], summary="What a call status can be made of")
async def list_call_properties() -> list[CallProperty]:
    """The same for everybody."""
    return [CallProperty(p.mnemo, p.name, p.description) for p in model.CALL_PROPERTIES]


ROUTES = [
    list_call_statuses,
    create_call_status,
    get_call_status,
    change_call_status,
    delete_call_status,
    list_call_properties,
]
