"""Clients as the API shows and takes them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.http.values import Id, Line, Text
from peal.phones.schemas import Countries

Prefix = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}(?!\n)$")]
Domain = Annotated[str, Meta(max_length=253, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(?!\n)$")]
Digits = Annotated[int, Meta(ge=2, le=4)]
Timezone = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}(?!\n)$")]
Language = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}(?!\n)$")]
Kind = Literal["J", "F"]
InternationalPrefix = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,8}(?!\n)$",
        description="Dialled before a number abroad",
        examples=["810"],
    ),
]
RecordFormat = Literal["mp3", "wav"]


class Client(Struct):
    """A client as an administrator sees it."""

    id: int
    name: str
    prefix: str
    domain: str
    extension_len: int
    status: Literal["active", "blocked"]
    create_date: str


class ClientChange(Struct):
    """What an administrator may change."""

    name: Line | UnsetType = UNSET
    status: Literal["active", "blocked"] | UnsetType = UNSET


class ClientCreate(Struct, kw_only=True):
    """A new client; prefix, domain and number of digits stay as they are for good."""

    name: Line
    prefix: Prefix
    domain: Domain
    extension_len: Digits = 3
    status: Literal["active", "blocked"] = "active"


class ClientInfo(Struct):
    """A client and its configuration."""

    id: int
    name: str
    type: Kind
    prefix: str
    domain: str
    domain_prefix: str | None
    extension_len: int
    create_date: str
    email: str | None
    timezone: str
    language: str | None
    hold_music: int | None
    dial_rule_id: int | None
    international_prefix: str
    geo_list: str | None
    record_format: RecordFormat
    record_stereo: bool
    sip_network_permission_id: int | None
    reg_status_log: bool
    extra_params: str | None


class ClientInfoChange(Struct):
    """What of a client is configuration."""

    email: Line | None | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    language: Language | None | UnsetType = UNSET
    hold_music: Id | None | UnsetType = UNSET
    dial_rule_id: Id | None | UnsetType = UNSET
    international_prefix: InternationalPrefix | UnsetType = UNSET
    geo_list: Countries | None | UnsetType = UNSET
    record_format: RecordFormat | UnsetType = UNSET
    record_stereo: bool | UnsetType = UNSET
    sip_network_permission_id: Id | None | UnsetType = UNSET
    reg_status_log: bool | UnsetType = UNSET
    extra_params: Text | None | UnsetType = UNSET
