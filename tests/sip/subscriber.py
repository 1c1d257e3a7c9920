"""What a real HTTP subscriber of an office is told, by a deliverer of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from events.books import TYPES
from events.receiver import Received, Receiver
from sip.exchange import Office


@dataclass
class Subscriber:
    """One URL that hears all of an office's events."""

    office: Office
    receiver: Receiver
    secrets: dict[str, str] = field(default_factory=dict)

    def subscribe(self):
        for kind in TYPES:
            body = {"url": self.receiver.url, "event_type": kind, "method": "POST"}
            made = self.office.tenant.api.post("/client/@me/phone_events/", json=body)
            assert made.status_code == 201, made.text
            self.secrets[kind] = made.json()["secret"]

    def told(self, count: int) -> list[Received]:
        """Exactly so much came, each signed."""
        self.receiver.wait(count)
        time.sleep(0.3)  # nothing more may come: there is no event to wait for
        came = list(self.receiver.received)
        assert len(came) == count, [each.fields for each in came]
        for each in came:
            each.verify(self.secrets[each.fields["EventType"]])
        return came

    def record(self, count: int) -> list[str]:
        """Whom it is of, what, its status, who calls whom: of each event, in the order of the call."""
        return [self._line(each.fields) for each in self.told(count)]

    def _line(self, told: dict[str, str]) -> str:
        numbers = {str(extension): number for number, extension in self.office.ids.items()}
        whose = numbers[told["SubCallID"].partition("-")[0]]
        called = told.get("CalledExtension", told["CalledNumber"]).rpartition("*")[2].partition("@")[0]
        line = f"{whose} {told['CallFlow']} {told['EventType']} {told['CallStatus']}"
        return f"{line}: {told['CallerIDNum']} calls {called}"


@contextmanager
def subscriber_of(office: Office) -> Iterator[Subscriber]:
    """A subscriber; what delivers to it runs for the whole exchange."""
    with Receiver() as receiver:
        made = Subscriber(office, receiver)
        made.subscribe()
        yield made
