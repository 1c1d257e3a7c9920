"""From the events of a call to the call: pure, the same for any order, repeats and gaps."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property

import msgspec

from peal.calls import outcome
from peal.calls.event import Event, Extension, Known, moment
from peal.calls.outcome import Outcome

CALLER = 0
"""The number of the caller's leg; that of the phone on branch `i` is `i + 1`."""
STRIDE = 1000
"""Between the numbers of the legs of a call's parts."""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls, or who is called: inside, an extension and the main one that it counts as; else a number."""

    number: str
    """That which it counts as: `0003*100`, or a number outside."""
    own_number: str
    """Of the phone that calls, or as it was called."""
    is_inside: bool = False
    extension: Extension | None = None
    own: Extension | None = None
    bundle_info: str | None = None
    """The trace of a bundle: of who calls the phone's, of who is called the main extension's."""


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """What one phone had of a call."""

    part_id: str
    """What the switch takes for the call."""
    n: int
    flow: str
    number: str
    """Of the extension that it counts as: the main one of who calls, the phone's own of who is called."""
    extension: Extension | None
    bundle: Extension | None
    """That which `bundle_info` names."""
    bundle_info: str | None
    init: datetime
    answered: datetime | None
    ended: datetime | None
    transfer_reason: str | None
    outcome: Outcome | None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What the switch takes for a call, as far as its events tell it."""

    id: str
    client_id: int
    domain: str
    caller: Party
    called: Party
    caller_name: str | None
    dialled: str
    did: str | None
    ani: str | None
    init: datetime
    answered: datetime | None
    ended: datetime | None
    answered_by: str | None
    """Full number of the phone, or the number outside."""
    outcome: Outcome | None
    """None while it goes on."""
    legs: list[Leg]
    events: list[Event]
    """In their order, each once."""
    end: Event | None
    """That which ends it."""
    transfer: str | None
    """The call in which it was asked for."""

    @property
    def flow(self) -> str:
        """`out` to the outside and to nowhere, else `in`."""
        return "in" if self.called.is_inside or not self.caller.is_inside else "out"

    @property
    def account(self) -> Party:
        """Whose it is."""
        return self.called if self.flow == "in" else self.caller

    @property
    def is_between_members(self) -> bool:
        """Whether both ends are of one bundle, or one extension."""
        return self.caller.number == self.called.number

    @property
    def shown(self) -> str:
        """Who calls, as the other side sees it: between members each shows its own number."""
        return self.caller.own_number if self.is_between_members else self.caller.number


class Call(msgspec.Struct, frozen=True):
    """A call, with what came of it by transfers: to the switch alone those are calls of their own."""

    id: str
    parts: list[Part]
    """As they began."""

    @property
    def first(self) -> Part:
        """That which says whose the call is."""
        return self.parts[0]

    @property
    def ended(self) -> datetime | None:
        """When the last part was over."""
        ends = [part.ended for part in self.parts if part.ended]
        return max(ends) if len(ends) == len(self.parts) else None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended: as the last part in which somebody talked; None while it goes on."""
        if self.ended is None:
            return None
        talked = [part for part in self.parts if part.answered] or [self.first]
        return max(talked, key=lambda part: (part.ended or part.init, part.id)).outcome

    @property
    def legs(self) -> list[Leg]:
        """Those of all parts, numbered through."""
        return [
            msgspec.structs.replace(leg, n=place * STRIDE + leg.n)
            for place, part in enumerate(self.parts)
            for leg in part.legs
        ]


def assemble(told: Iterable[Event]) -> Call | None:
    """Return the call that events make, with those of calls that came of it by transfers.

    None: no event says whose it is.
    """
    found: dict[str, list[Event]] = {}
    for event in {(e.call, e.seq, e.type): e for e in told}.values():
        found.setdefault(event.call, []).append(event)
    stories = [
        _Story(sorted(events, key=lambda e: (e.seq, e.type)))
        for events in found.values()
        if any(event.known for event in events)
    ]
    parts = sorted((story.part() for story in stories), key=lambda part: (part.init, part.id))
    return Call(root(parts[0].id, {part.id: part.transfer for part in parts}), parts) if parts else None


def root(call_id: str, transfers: Mapping[str, str | None]) -> str:
    """Return the call that `call_id` came of, over any number of transfers."""
    seen = {call_id}
    while (before := transfers.get(call_id)) and before not in seen:
        seen.add(before)
        call_id = before
    return call_id


class _Story:
    """What the events of a call say together."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.parties = [event for event in events if event.known]
        self.first = self.parties[0]
        self.ends = {event.type: event for event in events}

    def part(self) -> Part:
        first = self.first
        return Part(
            id=first.call,
            client_id=self.known.client_id,
            domain=first.domain,
            caller=self.caller,
            called=self.called,
            caller_name=self._caller_name(),
            dialled=first.dialled or first.to,
            did=first.did or None,
            ani=next((event.ani for event in self.parties if event.ani not in ("", "-")), None),
            init=self.init,
            answered=self.answered,
            ended=self.ended,
            answered_by=self.answered_by,
            outcome=self.outcome,
            legs=self.legs(),
            events=list(self.events),
            end=self.end,
            transfer=next((event.transfer for event in self.parties if event.transfer), None),
        )

    def _caller_name(self) -> str | None:
        if self.caller.extension:
            return self.caller.extension.name
        try:
            name = base64.b64decode(self.first.from_name).decode(errors="replace")
        except ValueError:
            return None
        return "".join(filter(str.isprintable, name)) or None

    @cached_property
    def known(self) -> Known:
        """What was known of the numbers when it began; of those that came later, then."""
        extensions: dict[str, Extension] = {}
        for event in reversed(self.parties):
            if event.known:
                extensions |= event.known.extensions
        known = self.first.known
        return Known(known.client_id, extensions, known.members) if known else Known(0)

    @cached_property
    def caller(self) -> Party:
        party = self._party(self.first.from_, self.first.from_main, is_inside="*" in self.first.from_)
        if party.own_number == party.number:
            return party
        return msgspec.structs.replace(party, bundle_info=self._info(party.own, party.own_number))

    @cached_property
    def called(self) -> Party:
        reached = self.first.type != "refused" or self.first.to in self.known.extensions
        party = self._party(self.first.to, self.first.to_main, is_inside="*" in self.first.to and reached)
        if party.own_number == party.number and not self.known.members:
            return party
        return msgspec.structs.replace(party, bundle_info=self._info(party.extension, party.number))

    def _party(self, own: str, main: str, *, is_inside: bool) -> Party:
        number = main or own
        extensions = self.known.extensions if is_inside else {}
        return Party(
            number=number,
            own_number=own,
            is_inside=is_inside,
            extension=extensions.get(number),
            own=extensions.get(own),
        )

    def _info(self, extension: Extension | None, number: str) -> str:
        """Return the trace of a bundle; all phones of a call ring in one round."""
        return f"{extension.id if extension else ''};{short(number)};{self.first.call[:4]}"

    @cached_property
    def init(self) -> datetime:
        return self.events[0].moment

    @cached_property
    def answer(self) -> Event | None:
        return next((event for event in self.parties if event.answered_at), None)

    @cached_property
    def answered(self) -> datetime | None:
        return moment(self.answer.answered_at) if self.answer else None

    @cached_property
    def answered_by(self) -> str | None:
        if self.answer is None:
            return None
        return self._full(self.answer.answered_by) if self.called.is_inside else self.called.number

    def _full(self, device: str) -> str:
        """Return a phone's full number: events of legs give the short one."""
        prefix, star, _ = self.called.own_number.rpartition("*")
        return prefix + star + device

    @cached_property
    def end(self) -> Event | None:
        """The event that ends the call: that which the switch itself has told, else that it was lost."""
        return self.ends.get("hangup") or self.ends.get("refused") or self.ends.get("lost")

    @cached_property
    def ended(self) -> datetime | None:
        return self.end.moment if self.end else None

    @cached_property
    def outcome(self) -> Outcome | None:
        rang = "ring" in self.ends
        if self.end is None:
            return None
        if self.end.type == "lost":
            return outcome.lost(was_answered=bool(self.answer), rang=rang)
        if self.end.type == "refused":
            called = self.called.extension
            return outcome.refused(self.end.code, to_a_phone=called is not None and called.type == "phone")
        if self.answer:
            return outcome.answered(self.end.ended_by)
        if self.end.ended_by == "switch" and self.end.code == "487":
            return outcome.ended_by_switch(rang=rang)
        declined = any(event.code.isdigit() and event.code != "487" for event in self._all("leg"))
        return outcome.not_answered(self.end.code, rang=rang, declined=declined)

    def _all(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.type == kind]

    def legs(self) -> list[Leg]:
        """Return the caller's leg, if that is one of us, and one of each phone that rang."""
        own = [self._callers_leg()] if self.caller.is_inside else []
        return own + self._phones_legs() if self.called.is_inside else own

    def _callers_leg(self) -> Leg:
        caller = self.caller
        return Leg(
            part_id=self.first.call,
            n=CALLER,
            flow="out",
            number=caller.number,
            extension=caller.extension,
            bundle=caller.own if caller.bundle_info else None,
            bundle_info=caller.bundle_info,
            init=self.init,
            answered=self.answered,
            ended=self.ended,
            transfer_reason=self._transferred(caller.own_number),
            outcome=self.outcome,
        )

    def _phones_legs(self) -> list[Leg]:
        begins, ends = ({e.leg: e for e in reversed(self._all(kind))} for kind in ("ring", "leg"))
        winner = self._winner(begins, ends)
        return [
            self._phones_leg(first, ends.get(branch), won=branch == winner)
            for branch, first in sorted((ends | begins).items())
        ]

    def _winner(self, begins: dict[int, Event], ends: dict[int, Event]) -> int | None:
        """Return the branch of the phone that has the call: of one number several may have rung."""
        by = self.answer.answered_by if self.answer else None
        theirs = [event for event in (ends | begins).values() if event.device == by]
        said = [event for event in ends.values() if event.device == by and event.code.startswith("2")]
        open_ = [event for event in theirs if event.leg not in ends]
        first = min(said or open_ or [], key=lambda event: (event.seq, event.leg), default=None)
        return first.leg if first else None

    def _phones_leg(self, first: Event, end: Event | None, *, won: bool) -> Leg:
        """Return what a phone had; `first` is the event that began it, or all that is known of it."""
        number = self._full(first.device)
        return Leg(
            part_id=self.first.call,
            n=first.leg + 1,
            flow="in",
            number=number,
            extension=self.known.extensions.get(number),
            bundle=self.called.extension if self.called.bundle_info else None,
            bundle_info=self.called.bundle_info,
            init=first.moment,
            answered=self.answered if won else None,
            ended=self.ended if won or not end else end.moment,
            transfer_reason=self._transferred(number),
            outcome=self.outcome if won else self._lost_leg(end),
        )

    def _lost_leg(self, end: Event | None) -> Outcome | None:
        if end:
            return outcome.of_leg(end.code, was_answered=bool(self.answer))
        return outcome.of_leg("487", was_answered=bool(self.answer)) if self.end else None

    def _transferred(self, number: str) -> str | None:
        """Return how a phone transferred the call."""
        return next((e.reason for e in self._all("transfer") if e.device == short(number)), None)


def short(number: str) -> str:
    """Return a full number without the client's prefix."""
    return number.rpartition("*")[2]
