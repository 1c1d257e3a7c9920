"""What one side of a call is to be told of it, whoever wants to hear it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from peal.kit import dates
from peal.kit.numbers import full_name

EventType = Literal["dial-in", "dial-out", "answer", "hangup"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a call, of one extension: of the main one, when it is of a bundle."""

    client_id: int
    extension_id: int
    call_id: str
    """32 hex."""
    seq: int
    """Its place among the events of the call, from 1."""
    event_type: EventType
    flow: Literal["in", "out"]
    at: int
    """Microseconds since the epoch."""
    gap: bool = False
    """Whether an earlier event of the call is missing: it is waited for, at most 2 s."""
    parameters: dict[str, str]
    """What is sent, by name, in the contract's order, beginning with EventType, EventTime, CallID."""


def status_change(
    extension: Mapping[str, Any], old_id: int | None, new_id: int | None, at: datetime
) -> dict[str, str]:
    """Return what is told of an extension, `id`, `client_id`, `prefix`, `number`, with another status."""
    return {
        "event_type": "call-status-change",
        "old_status_id": str(old_id or ""),
        "new_status_id": str(new_id or ""),
        "extension_id": str(extension["id"]),
        "extension_name": full_name(extension["prefix"], extension["number"]),
        "client_id": str(extension["client_id"]),
        "change_dt": dates.text(at),
    }
