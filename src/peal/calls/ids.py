"""The names of a call and its parts: each follows from the switch's id of the call."""

import hashlib
import uuid


def call_uuid(call_id: str) -> str:
    """Return `call_uuid`, which is `CallID`."""
    return call_id.upper()


def call_api_id(extension_id: int | None, call_id: str) -> str:
    """Return `call_api_id`, which is `CallAPIID`, of one side of a call."""
    return f"{extension_id or 0}-{uuid.UUID(call_id)}"


def call_of(api_id: str) -> str | None:
    """Return the call that a `call_api_id` names; None: it is none."""
    try:
        return uuid.UUID(api_id.partition("-")[2]).hex
    except ValueError:
        return None


def sub_call_id(extension_id: int, call_id: str, flow: str) -> str:
    """Return `SubCallID`: that of one side of a call."""
    return f"{extension_id}-{_digest(call_id, flow)}"


def record_uuid(extension_id: int | None, call_id: str, n: int) -> str:
    """Return `record_uuid`, which is `RecID`, of a leg."""
    return f"{extension_id or 0}-{_digest(call_id, n)}"


def _digest(call_id: str, part: str | int) -> str:
    return hashlib.md5(f"{call_id};{part}".encode(), usedforsecurity=False).hexdigest().upper()
