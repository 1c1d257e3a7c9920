"""What the switch has told of a call: its events, as they stand in the database."""

from collections import Counter
from collections.abc import Collection

from parts import look, until
from sip.exchange import Office
from sqlalchemy import ColumnElement, Text, cast, or_, select

from peal.calls.tables import call_event

ENDS = {"hangup", "refused", "lost"}


class Story:
    """The events of one call, in their order."""

    def __init__(self, events: list[dict]):
        self.events = events

    def all(self, kind: str) -> list[dict]:
        return [event for event in self.events if event["type"] == kind]

    def one(self, kind: str) -> dict:
        found = self.all(kind)
        assert len(found) == 1, f"{len(found)} {kind}: {self.events}"
        return found[0]

    def numbers(self, kind: str, *fields: str) -> tuple[str, ...]:
        """Fields of the only event of that kind, numbers without the client's prefix."""
        event = self.one(kind)
        return tuple(event[name].rpartition("*")[2] for name in fields)

    @property
    def dialled(self) -> str:
        """The number as it was dialled."""
        return self.events[0].get("dialled") or self.events[0]["to"]

    @property
    def kinds(self) -> Counter[str]:
        """How many of each, but for those of the legs."""
        return Counter(event["type"] for event in self.events if event["type"] not in ("ring", "leg"))

    @property
    def legs(self) -> list[tuple[str, str]]:
        """Each phone that rang, and how that ended."""
        return sorted((event["device"], str(event["code"])) for event in self.all("leg"))

    @property
    def is_whole(self) -> bool:
        rang, ended = self.all("ring"), self.all("leg")
        return any(event["type"] in ENDS for event in self.events) and len(rang) == len(ended)


def stories(office: Office, calls: int, seconds: float = 5) -> list[Story]:
    """All calls of this office, when there are that many and each has been told to its end."""
    told: list[Story] = []

    def whole() -> bool:
        told[:] = told_so_far(office)
        return len(told) == calls and all(each.is_whole for each in told)

    until(whole, seconds, lambda: f"{[each.events for each in told]}\n{office.exchange.report()}")
    return told


def story(office: Office) -> Story:
    """The only call of this office, when it has been told to its end."""
    return stories(office, 1)[0]


def told_so_far(office: Office) -> list[Story]:
    """What stands there now, in no order; calls that are up among them."""
    mine = office.user("")
    named = select(call_event.c.call_id).where(cast(call_event.c.body, Text).contains(mine))
    found = _stories(office, call_event.c.call_id.in_(named))
    return [each for each in found.values() if _ends(each.events[0]).count(mine)]


def stories_of(office: Office, calls: Collection[str]) -> dict[str, Story]:
    """What was told of these, and of what came of them by transfers: that has `transfer` in its events."""
    return _stories(office, or_(call_event.c.call_id.in_(calls), call_event.c.transfer.in_(calls)))


def _stories(office: Office, which: ColumnElement[bool]) -> dict[str, Story]:
    events = select(call_event.c.call_id, call_event.c.body).where(which).order_by(call_event.c.seq)
    [rows] = look(office.exchange.api.database, events)
    calls: dict[str, list[dict]] = {}
    for row in rows:
        calls.setdefault(row["call_id"], []).append(row["body"])
    return {call: Story(events) for call, events in calls.items()}


def _ends(event: dict) -> str:
    """Who calls whom; nobody, of a leg."""
    return f"{event.get('from')} {event.get('to')}"
