"""`/client/{client_id}/sip_network_permission/`."""

from collections.abc import Sequence
from typing import Annotated, Any

from litestar import delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from peal.catalogue.service import Kind
from peal.errors import bad_field
from peal.http import things
from peal.http.listing import page_of
from peal.http.principal import ApiRequest
from peal.http.shape import given, shape
from peal.http.values import Line
from peal.networks import model
from peal.networks.tables import sip_network_permission

LIST = "/client/{client_id:str}/sip_network_permission"
ONE = LIST + "/{permission_id:str}"
NETWORKS = Kind(sip_network_permission)
Cidrs = Annotated[
    list[Annotated[str, Meta(max_length=64)]],
    Meta(min_length=1, max_length=100, description="Networks, CIDR", examples=[["192.0.2.0/24"]]),
]


class NetworkPermission(Struct):
    """The networks that a phone may come from."""

    id: int
    name: str
    networks: list[str]


class NetworkPermissionCreate(Struct):
    """A new permission."""

    name: Line
    networks: Cidrs


class NetworkPermissionChange(Struct):
    """Fields of a permission that a PUT may carry."""

    name: Line | UnsetType = UNSET
    networks: Cidrs | UnsetType = UNSET


@get(LIST, tags=["sip_network_permission"], summary="Network permissions of a client")
async def list_network_permissions(
    request: ApiRequest,
    client_id: FromPath[str],
    page: FromQuery[str] = "",
    per_page: FromQuery[str] = "",
    order: FromQuery[str] = "",
) -> list[NetworkPermission]:
    """Newest first, unless `order` is `asc`."""
    rows = await things.page(request, NETWORKS, client_id, page_of(page, per_page, order))
    return [shape(row, NetworkPermission) for row in rows]


@post(LIST, tags=["sip_network_permission"], summary="Make a network permission")
async def create_network_permission(
    request: ApiRequest, client_id: FromPath[str], data: JSONBody[NetworkPermissionCreate]
) -> NetworkPermission:
    """A phone gets it by `sip_network_permission_id`; `auth_type` says what it means there."""
    return shape(await things.create(request, NETWORKS, client_id, _values(data)), NetworkPermission)


@get(ONE, tags=["sip_network_permission"], summary="One network permission")
async def get_network_permission(
    request: ApiRequest, client_id: FromPath[str], permission_id: FromPath[str]
) -> NetworkPermission:
    """All its fields."""
    return shape(await things.one(request, NETWORKS, client_id, permission_id), NetworkPermission)


@put(ONE, tags=["sip_network_permission"], summary="Change a network permission")
async def change_network_permission(
    request: ApiRequest,
    client_id: FromPath[str],
    permission_id: FromPath[str],
    data: JSONBody[NetworkPermissionChange],
) -> NetworkPermission:
    """Only the keys sent; all phones that have it follow."""
    row = await things.change(request, NETWORKS, client_id, permission_id, _values(data))
    return shape(row, NetworkPermission)


@delete(ONE, tags=["sip_network_permission"], summary="Delete a network permission")
async def delete_network_permission(
    request: ApiRequest, client_id: FromPath[str], permission_id: FromPath[str]
) -> None:
    """400 `still_used` while a phone or the client names it."""
    await things.delete(request, NETWORKS, client_id, permission_id)


def _values(data: NetworkPermissionCreate | NetworkPermissionChange) -> dict[str, Any]:
    values = given(data)
    if "networks" in values:
        values["networks"] = _canonical(values["networks"])
    return values


def _canonical(networks: Sequence[str]) -> list[str]:
    try:
        return model.canonical(networks)
    except ValueError as error:
        raise bad_field("networks", str(error)) from error


ROUTES = [
    list_network_permissions,
    create_network_permission,
    get_network_permission,
    change_network_permission,
    delete_network_permission,
]
