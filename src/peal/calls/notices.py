"""What the sides of a call are to be told of it."""

from typing import Literal, cast

from peal.calls import ids
from peal.calls.event import Event, micros
from peal.calls.model import CALLER, Call, Leg, Party
from peal.events.notice import EventType, Notice

RESTARTED = 1001
"""The number that events of a call begin with anew where its switch was started in the meantime."""


def notices(call: Call) -> list[Notice]:
    """Return what the extensions of a call are told, in its order."""
    sides = [side for side in (_caller(call), _called(call)) if side]
    told = {event.seq for event in call.events}
    return [
        side.notice(event, kind, gap=_is_gap(event, told))
        for event in call.events
        for kind in _kinds(call, event)
        for side in sides
    ]


def _kinds(call: Call, event: Event) -> list[str]:
    kinds = {"begin": ["dial"], "refused": ["dial"], "answer": ["answer"]}.get(event.type, [])
    return [*kinds, "hangup"] if event is call.end else kinds


def _is_gap(event: Event, told: set[int]) -> bool:
    """Return whether an event before this one is missing; what a lost call's switch still told is unknown."""
    first = RESTARTED if event.seq >= RESTARTED else 1
    return event.type != "lost" and not told.issuperset(range(first, event.seq))


def _caller(call: Call) -> "_Side | None":
    party = call.caller
    own = next((leg for leg in call.legs if leg.n == CALLER), None)
    return _Side(call, "out", party, own, own) if party.extension else None


def _called(call: Call) -> "_Side | None":
    """Return the called side; a call between members is the caller's alone."""
    party = call.called
    if not party.extension or call.is_between_members:
        return None
    rang = [leg for leg in call.legs if leg.n != CALLER]
    has_it = next((leg for leg in rang if leg.outcome and leg.outcome.result == "answered"), None)
    return _Side(call, "in", party, rang[0] if rang else None, has_it)


class _Side:
    """One side of a call, as its extension is told of it."""

    def __init__(
        self, call: Call, flow: Literal["in", "out"], party: Party, traced: Leg | None, recorded: Leg | None
    ) -> None:
        self.call, self.flow, self.party = call, flow, party
        self.traced, self.recorded = traced, recorded

    def notice(self, event: Event, kind: str, *, gap: bool) -> Notice:
        """Return what this side is told at an event."""
        extension = self.party.extension
        if extension is None:
            raise ValueError("nobody can be told of a number outside")
        event_type = cast("EventType", f"dial-{self.flow}" if kind == "dial" else kind)
        at = micros(event.moment)
        head = {"EventType": event_type, "EventTime": str(at)}
        more = self._at_the_end() if kind == "hangup" else {}
        told = head | self._call(extension.id) | {"CallStatus": self._status(kind)} | self._parties() | more
        return Notice(
            client_id=self.call.client_id,
            extension_id=extension.id,
            call_id=self.call.id,
            seq=event.seq,
            event_type=event_type,
            flow=self.flow,
            at=at,
            gap=gap,
            parameters=told | ({"BundleInfo": self._info} if self._info else {}),
        )

    def _call(self, extension_id: int) -> dict[str, str]:
        return {
            "CallID": ids.call_uuid(self.call.id),
            "SubCallID": ids.sub_call_id(extension_id, self.call.id, self.flow),
            "CallAPIID": ids.call_api_id(extension_id, self.call.id),
            "CallFlow": self.flow,
        }

    def _status(self, kind: str) -> str:
        if kind == "hangup" and self.call.outcome:
            return self.call.outcome.status
        return "ANSWER" if kind == "answer" else "CALLING"

    def _parties(self) -> dict[str, str]:
        call = self.call
        told = {"CallerIDNum": _short(_shown(call)), "CallerIDName": call.caller_name or ""}
        if call.caller.extension:
            told["CallerExtension"] = f"{call.caller.number}@{call.domain}"
            told["CallerExtensionID"] = str(call.caller.extension.id)
        told["CalledNumber"] = call.dialled
        if call.called.extension:
            told["CalledExtension"] = f"{call.called.number}@{call.domain}"
            told["CalledExtensionID"] = str(call.called.extension.id)
        if call.did:
            told["CalledDID"] = call.did
        return told

    def _at_the_end(self) -> dict[str, str]:
        call, leg = self.call, self.recorded
        told = {"Duration": str(micros(call.ended) - micros(call.init) if call.ended else 0)}
        if call.answered and leg:
            told["RecID"] = ids.record_uuid(leg.extension.id if leg.extension else None, call.id, leg.n)
        return told

    @property
    def _info(self) -> str | None:
        return self.traced.bundle_info if self.traced else None


def _shown(call: Call) -> str:
    """Return who calls, as the other side sees it: between members each shows its own number."""
    return call.caller.own_number if call.is_between_members else call.caller.number


def _short(number: str) -> str:
    return number.rpartition("*")[2]
