"""Calls that ring or talk, as the API shows them."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from peal.calls.live import Side
from peal.calls.show import record_uuid
from peal.http.values import Line
from peal.kit import dates


class LiveExtension(Struct):
    """An extension that has part in a call."""

    id: int
    type: str
    name: str
    client_id: int
    extension_group_id: int | None = None


class LiveCall(Struct, kw_only=True):
    """One side of a call."""

    call_api_id: str
    """Names this side in commands; also `CallAPIID` of its events."""
    record_uuid: str | None
    """Of the phone that talks, else of one that rings."""
    call_flow: Literal["IN", "OUT"]
    called_number: str
    called_did: str | None
    init_time_gmt: str
    answer_time_gmt: str | None
    caller_id_number: str
    caller_id_name: str | None
    caller_extension: LiveExtension | None
    called_extension: LiveExtension | None
    extension_id: int


Dialled = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.+*-]{1,64}(?!\n)$")]
"""A number, as a phone dials it; without the sign #, which no SIP address takes as it is."""


class CallAction(Struct):
    """What is to become of a call."""

    action: Literal["transfer", "move"]
    """`transfer`: the other side calls `send_dst` instead. `move`: this side's talk goes on, on another phone
    of its bundle."""
    send_dst: Dialled
    """A number, as the other side's phone would dial it; of a `move`, an extension of this side's bundle,
    with or without the client's prefix."""


class CallbackCreate(Struct, kw_only=True):
    """Whom to ring, and to whom to bring whoever picks up."""

    src_num: Annotated[list[Dialled], Meta(min_length=1, max_length=30)]
    """The extension itself: all that ring in a call to it; or, if it is a main one, members of its bundle."""
    dst_num: Dialled
    src_ani: str | None = None
    """Taken, does not act: the first call is an internal one."""
    dst_ani: str | None = None
    """Taken, does not act: the number shown is that of all calls of the extension."""
    caller_id_name: Line | None = None
    """What the phones that ring show; none."""
    caller_id_number: Annotated[str, Meta(pattern=r"^\+?[A-Za-z0-9_.-]{1,63}(?!\n)$")] | None = None
    """What the phones that ring show; `dst_num`."""
    call_duration: Annotated[int, Meta(ge=0, le=43_200)] | None = None
    """Seconds that the talk may last; as any call."""
    wait_for_pickup: Annotated[int, Meta(ge=1, le=600)] | None = None
    """Seconds that the phones ring; at most, and without it, as in any call."""


class CallbackMade(Struct):
    """The call that rings the extension."""

    call_api_id: str
    call_id: str


class LiveCalls(Struct):
    """The calls there are now."""

    call_list: list[LiveCall]


def show(side: Side, extensions: dict[int, dict[str, Any]]) -> LiveCall:
    """Show a side of a call."""
    row, leg = side.call, side.leg
    return LiveCall(
        call_api_id=side.api_id,
        record_uuid=record_uuid(leg) if leg else None,
        call_flow="OUT" if side.is_caller else "IN",
        called_number=row["dialled"],
        called_did=row["did_number"],
        init_time_gmt=dates.text(row["init_time"]),
        answer_time_gmt=dates.text(row["bridged_time"]) if row["bridged_time"] else None,
        caller_id_number=row["from_username"].rpartition("*")[2],
        caller_id_name=row["from_screen_name"],
        caller_extension=_extension(side.caller_id, extensions),
        called_extension=_extension(side.called_id, extensions),
        extension_id=side.extension_id,
    )


def _extension(extension_id: int | None, extensions: dict[int, dict[str, Any]]) -> LiveExtension | None:
    """Show an extension; None: it is none of ours, or is no more."""
    found = extensions.get(extension_id or 0)
    return LiveExtension(**found) if found else None
