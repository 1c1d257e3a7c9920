"""Extensions as the API shows and takes them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from peal.http.values import Count, Id, Line, Text

Type = Literal["phone", "queue", "ivr", "fax", "conference"]
Status = Literal["active", "blocked"]
TransferCallerId = Literal["default", "from", "diversion"]


class Extension(Struct):
    """An extension."""

    id: int
    name: str
    type: Type
    status: Status
    label: str | None
    client_id: int
    domain: str
    create_date: str
    extension_group_id: int | None
    caller_id_name: str | None
    dial_rule_id: int | None
    dial_rule_limit: int | None
    did_as_transfer_caller_id: TransferCallerId | None
    ani_rfc3325: bool
    message_did: str | None
    extra_params: str | None
    ani: str | None


class ExtensionChange(Struct):
    """Fields of an extension that a PUT may carry."""

    status: Status | UnsetType = UNSET
    label: Line | None | UnsetType = UNSET
    extension_group_id: Id | None | UnsetType = UNSET
    caller_id_name: Line | None | UnsetType = UNSET
    dial_rule_id: Id | None | UnsetType = UNSET
    dial_rule_limit: Count | None | UnsetType = UNSET
    did_as_transfer_caller_id: TransferCallerId | None | UnsetType = UNSET
    ani_rfc3325: bool | UnsetType = UNSET
    message_did: Line | None | UnsetType = UNSET
    extra_params: Text | None | UnsetType = UNSET


class ExtensionCreate(ExtensionChange, kw_only=True):
    """A new extension."""

    name: Line
    """Number, with or without the client's prefix: `0003*100` or `100`."""
    type: Type
