"""A call event: what the switch says, and what was known of its numbers when it came."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


class Extension(msgspec.Struct, frozen=True, array_like=True):
    """An extension that an event names."""

    id: int
    type: str
    name: str
    """What terminals are shown of it."""


class Known(msgspec.Struct, frozen=True):
    """Whose an event's numbers were."""

    client_id: int
    extensions: dict[str, Extension] = {}
    """By full number: who calls, who is called, their main extensions, and the members called."""
    members: list[str] = []
    """Full numbers of the bundle that is called; empty: it is none."""


class Event(msgspec.Struct, frozen=True):
    """An event; fields as in docs/switch.md, absent ones are empty."""

    call: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    seq: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    type: str = ""
    at: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{6})?$")] = "0"
    domain: str = ""
    from_: str = msgspec.field(name="from", default="")
    from_main: str = ""
    from_name: str = ""
    """In base64."""
    to: str = ""
    to_main: str = ""
    dialled: str = ""
    did: str = ""
    ani: str = ""
    transfer: str = ""
    replaces: str = ""
    code: str = ""
    answered_by: str = ""
    answered_at: Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,10}\.[0-9]{6})?$")] = ""
    ended_by: str = ""
    device: str = ""
    leg: Annotated[int, msgspec.Meta(ge=0, lt=1000)] = 0
    target: str = ""
    reason: str = ""
    known: Known | None = None

    @property
    def moment(self) -> datetime:
        """When it happened, UTC."""
        return moment(self.at)


def moment(at: str) -> datetime:
    """Return the time that the switch writes as seconds since the epoch, with microseconds."""
    seconds, _, micros = at.partition(".")
    return _EPOCH + timedelta(seconds=int(seconds), microseconds=int(micros or 0))


def micros(at: datetime) -> int:
    """Return microseconds since the epoch."""
    return (at - _EPOCH) // timedelta(microseconds=1)
