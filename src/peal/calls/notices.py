"""What the sides of a call are to be told of it."""

from collections.abc import Mapping
from typing import Literal, cast

from peal.calls import ids
from peal.calls.event import Event, micros
from peal.calls.model import CALLER, Call, Part, Party, short
from peal.events.notice import EventType, Notice

RESTARTED = 1001
"""The number that events of a call begin with anew where its switch was started in the meantime."""
_NONE = 2**31
"""More than any number of an event."""


def notices(call: Call, since: Mapping[str, int] | None = None) -> list[Notice]:
    """Return what the extensions of a call are told, in its order.

    `since`: by part, its first event that has not been told yet; parts that are not in it have been told.
    """
    return [
        notice
        for part in call.parts
        for notice in _notices(call.id, part, 0 if since is None else since.get(part.id, _NONE))
    ]


def _notices(call_id: str, part: Part, first: int) -> list[Notice]:
    sides = [side for side in (_caller(call_id, part), _called(call_id, part)) if side]
    told = {event.seq for event in part.events}
    return [
        side.notice(event, kind, gap=_is_gap(event, told))
        for event in part.events
        if event.seq >= first
        for kind in _kinds(part, event)
        for side in sides
    ]


def _kinds(part: Part, event: Event) -> list[str]:
    kinds = {"begin": ["dial"], "refused": ["dial"], "answer": ["answer"]}.get(event.type, [])
    return [*kinds, "hangup"] if event is part.end else kinds


def _is_gap(event: Event, told: set[int]) -> bool:
    """Return whether an event before this one is missing; what a lost call's switch still told is unknown."""
    first = RESTARTED if event.seq >= RESTARTED else 1
    return event.type != "lost" and not told.issuperset(range(first, event.seq))


def _caller(call_id: str, part: Part) -> "_Side | None":
    return _Side(call_id, part, "out", part.caller) if part.caller.extension else None


def _called(call_id: str, part: Part) -> "_Side | None":
    """Return the called side; a call between members is the caller's alone."""
    if not part.called.extension or part.is_between_members:
        return None
    return _Side(call_id, part, "in", part.called)


class _Side:
    """One side of a call, as its extension is told of it."""

    def __init__(self, call_id: str, part: Part, flow: Literal["in", "out"], party: Party) -> None:
        self.call_id, self.part, self.flow, self.party = call_id, part, flow, party

    def notice(self, event: Event, kind: str, *, gap: bool) -> Notice:
        """Return what this side is told at an event."""
        extension = self.party.extension
        if extension is None:
            raise ValueError("nobody can be told of a number outside")
        event_type = cast("EventType", f"dial-{self.flow}" if kind == "dial" else kind)
        at = micros(event.moment)
        told = {"EventType": event_type, "EventTime": str(at)}
        told |= self._call(extension.id) | {"CallStatus": self._status(kind)} | self._parties()
        if kind == "hangup":
            told |= self._at_the_end()
        if self.party.bundle_info:
            told["BundleInfo"] = self.party.bundle_info
        return Notice(
            client_id=self.part.client_id,
            extension_id=extension.id,
            call_id=self.part.id,
            seq=event.seq,
            event_type=event_type,
            flow=self.flow,
            at=at,
            gap=gap,
            parameters=told,
        )

    def _call(self, extension_id: int) -> dict[str, str]:
        return {
            "CallID": ids.call_uuid(self.call_id),
            "SubCallID": ids.sub_call_id(extension_id, self.part.id, self.flow),
            "CallAPIID": ids.call_api_id(extension_id, self.part.id),
            "CallFlow": self.flow,
        }

    def _status(self, kind: str) -> str:
        if kind == "hangup" and self.part.outcome:
            return self.part.outcome.status
        return "ANSWER" if kind == "answer" else "CALLING"

    def _parties(self) -> dict[str, str]:
        part = self.part
        told = {"CallerIDNum": short(part.shown), "CallerIDName": part.caller_name or ""}
        if part.caller.extension:
            told["CallerExtension"] = f"{part.caller.number}@{part.domain}"
            told["CallerExtensionID"] = str(part.caller.extension.id)
        told["CalledNumber"] = part.dialled
        if part.called.extension:
            told["CalledExtension"] = f"{part.called.number}@{part.domain}"
            told["CalledExtensionID"] = str(part.called.extension.id)
        if part.did:
            told["CalledDID"] = part.did
        return told

    def _at_the_end(self) -> dict[str, str]:
        part = self.part
        told = {"Duration": str(micros(part.ended) - micros(part.init) if part.ended else 0)}
        legs = [leg for leg in part.legs if leg.answered and (leg.n == CALLER) == (self.flow == "out")]
        if legs:
            extension = legs[0].extension
            told["RecID"] = ids.record_uuid(extension.id if extension else None, part.id, legs[0].n)
        return told
