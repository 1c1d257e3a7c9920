"""Rules of delivering, without the world: what is silent, when to try again, what a round may hold."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

from peal.events.notice import Notice

GAP = timedelta(seconds=2)
"""How long an event waits for an earlier one of its call that is missing."""
GIVE_UP = timedelta(hours=24)
"""How long a delivery is tried."""
ROTATION = timedelta(hours=24)
"""How long the old secret signs beside the new one."""
LONGEST_DELAY = timedelta(hours=1)
LONGEST_PAUSE = timedelta(minutes=1)
STATUS_CHANGE = "extension-call-status"

Result = Literal["delivered", "gone", "failed"]


@dataclass(frozen=True)
class Subscription:
    """What decides whether a subscription hears a notice; `associated`: its extension is, with a main one."""

    id: int
    client_id: int
    subscriber_id: int
    extension_id: int | None
    event_type: str
    associated: bool = False

    def hears(self, client_id: int, extension_id: int, event_type: str) -> bool:
        """Return whether it is told. In a bundle only the main extension speaks: no URL is told n times."""
        if self.associated:
            return False
        mine = self.extension_id in (None, extension_id)
        return mine and (self.client_id, self.event_type) == (client_id, event_type)


@dataclass(frozen=True)
class Due:
    """A delivery whose time has come."""

    id: int
    topic: str
    attempts: int
    notice_id: int
    subscription_id: int
    method: str
    parameters: dict[str, str]
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of a request; no `status`: nothing was answered, `error` says why."""

    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = None

    @property
    def result(self) -> Result:
        """What it means: any 2xx is a yes, 410 (Gone) ends the subscription, all else is tried again."""
        if self.status is not None and 200 <= self.status < 300:
            return "delivered"
        return "gone" if self.status == 410 else "failed"


def held_until(notice: Notice, now: datetime) -> datetime | None:
    """Return until when nobody is told of a notice; None: it can be told at once."""
    return now + GAP if notice.gap else None


def delay(attempts: int) -> timedelta:
    """Return how long a delivery waits after so many vain attempts: 2 s, 6 s, 18 s... at most an hour."""
    return min(timedelta(seconds=2 * 3 ** min(attempts - 1, 10)), LONGEST_DELAY)


HELD_UP = timedelta(seconds=1)
"""How long a subscriber is left alone for whom all that is due waits for an earlier one that is not."""


def pause(failures: int) -> timedelta:
    """Return how long a subscriber is left alone that took nothing in so many rounds; at most a minute."""
    return min(delay(failures), LONGEST_PAUSE)


def round_size(failures: int, most: int) -> int:
    """Return how many deliveries a round may hold: who took nothing last time is asked by one."""
    return 1 if failures else most


def lanes(due: Iterable[Due]) -> list[Sequence[Due]]:
    """Return deliveries by what they are of, each lane in its order: lanes may go side by side."""
    in_order = sorted(due, key=lambda one: (one.topic, one.id))
    return [list(lane) for _, lane in groupby(in_order, key=lambda one: one.topic)]
