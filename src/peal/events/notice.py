"""What one side of a call is to be told of it, whoever wants to hear it."""

from typing import Literal

import msgspec

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
