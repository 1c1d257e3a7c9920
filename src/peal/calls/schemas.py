"""Calls as the API shows them."""

from typing import Literal

from msgspec import Struct

Flow = Literal["in", "out"]
Order = Literal["asc", "desc"]
Disposition = Literal["caller_bye", "callee_bye", "caller_cancel", "callee_refuse", "internal_cancel"]
Result = Literal["busy", "answered", "not answered", "failed", "rejected", "bridged"]


class CallFields(Struct, kw_only=True):
    """What calls and their legs have in common."""

    call_uuid: str
    flow: Flow
    init_time_gmt: str
    start_time_gmt: str
    bridged_time_gmt: str | None
    hangup_time_gmt: str
    duration: int
    bridged: bool
    bridged_duration: int
    bridged_username: str | None
    bridged_domain: str | None
    from_username: str
    from_domain: str
    from_screen_name: str | None
    to_username: str
    to_domain: str
    extension_id: int | None
    extension_name: str | None
    extension_type: str | None
    extension_group_owner_id: int | None
    client_owner_id: int
    did_number: str | None
    did_domain: str | None
    ext_number_reg: str | None
    hangup_cause: str
    hangup_disposition: Disposition


class Call(CallFields, kw_only=True):
    """A call, accounted to the main extension."""

    result: Result


class Cdr(CallFields, kw_only=True):
    """A leg: what one phone had of a call."""

    result: Literal["busy", "answered", "not answered", "failed", "rejected", "bridged", "answered elsewhere"]
    transfer: bool
    source_number: str
    source_domain: str
    dest_number: str
    dest_domain: str
    ani_number: str | None
    application: str
    record_uuid: str
    record_file_size: int
    bundle_info: str | None
    transfer_reason: str | None
    remote_call_sign: str | None


class CallWithLegs(Call, kw_only=True):
    """A call with its legs."""

    cdr: list[Cdr]


class CallHistory(Struct):
    """A page of calls with their legs."""

    page: int
    per_page: int
    order: Order
    call_history: list[CallWithLegs]


class Calls(Struct):
    """A page of calls."""

    page: int
    per_page: int
    order: Order
    calls: list[Call]


class Cdrs(Struct):
    """A page of legs."""

    page: int
    per_page: int
    order: Order
    cdr: list[Cdr]


class Total(Struct):
    """How many."""

    total: int


class Stats(Struct, rename={"incoming": "in", "outgoing": "out"}):
    """How many calls, by flow."""

    incoming: Total
    outgoing: Total
