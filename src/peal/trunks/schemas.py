"""Trunks as the API shows and takes them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.http.values import Id, Line
from peal.numbers.schemas import Number

Host = Annotated[
    str,
    Meta(
        max_length=253,
        pattern=r"^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]+)(?!\n)$",
        description="Address or name",
        examples=["192.0.2.7"],
    ),
]
Port = Annotated[int, Meta(ge=1, le=65535)]
Transport = Literal["udp", "tcp", "tls"]
Status = Literal["active", "blocked"]
Login = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.+@~-]{1,64}(?!\n)$")]
Realm = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.@: +-]{1,255}(?!\n)$")]
Password = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x20-\x7e]*(?!\n)$")]
Priority = Annotated[int, Meta(ge=0, le=1000)]
Cidrs = Annotated[
    list[Annotated[str, Meta(max_length=64)]],
    Meta(max_length=100, description="Networks that it calls from, CIDR", examples=[["192.0.2.7/32"]]),
]


class Trunk(Struct):
    """A line to the outside; its password is never shown."""

    id: int
    name: str
    client_id: int | None
    """The client that has it; null: all."""
    status: Status
    priority: int
    """Lower ones are tried first."""
    host: str
    port: int
    transport: Transport
    login: str | None
    realm: str | None
    """The realm that it asks credentials for."""
    register: bool
    """Whether the SIP service registers there."""
    networks: list[str]
    number: str | None
    """The trunk's own number, shown by emergency calls that have no other."""
    create_date: str


class TrunkChange(Struct):
    """Fields of a trunk that a PUT may carry."""

    name: Line | UnsetType = UNSET
    client_id: Id | None | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    host: Host | UnsetType = UNSET
    port: Port | UnsetType = UNSET
    transport: Transport | UnsetType = UNSET
    login: Login | None | UnsetType = UNSET
    realm: Realm | None | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    register: bool | UnsetType = UNSET
    networks: Cidrs | UnsetType = UNSET
    number: Number | None | UnsetType = UNSET


class TrunkCreate(TrunkChange, kw_only=True):
    """A new trunk. Absent: `port` of the transport, `realm` and `networks` of the host."""

    name: Line
    host: Host
