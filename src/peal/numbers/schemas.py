"""Outside numbers as the API shows and takes them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.http.values import Id, Text

Number = Annotated[
    str,
    Meta(
        pattern=r"^\+?[0-9]{3,15}(?!\n)$",
        description="Outside number; a leading + is dropped",
        examples=["74951234567"],
    ),
]


class Did(Struct):
    """A number by which a client is called from outside."""

    id: int
    name: str
    domain: str | None
    """SIP domain of its client."""
    client_id: int | None
    extension_id: int | None
    """Extension that rings; of a main one the whole bundle."""
    allow_message: bool
    message_extension_id: int | None
    comment: str | None
    create_date: str


class DidCreate(Struct, kw_only=True):
    """A new number; of nobody until `client_id` says whose."""

    name: Number
    client_id: Id | None = None
    allow_message: bool = False
    comment: Text | None = None


class DidChange(Struct):
    """What an administrator may change of a number."""

    client_id: Id | None | UnsetType = UNSET
    allow_message: bool | UnsetType = UNSET
    comment: Text | None | UnsetType = UNSET


class DidBinding(Struct):
    """What a client may change of its number; null unbinds."""

    extension_id: Id | None | UnsetType = UNSET
    message_extension_id: Id | None | UnsetType = UNSET
    comment: Text | None | UnsetType = UNSET


class Ani(Struct):
    """The number that calls to the outside show; null: none of its own."""

    default: str | None


class AniChange(Struct):
    """The number to show; null: none."""

    ani_number: Number | None | UnsetType = UNSET
