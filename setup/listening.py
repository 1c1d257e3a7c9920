"""The demo's subscriber: what it hears of calls. The HTTP server is that of the tests."""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from standardwebhooks import WebhookVerificationError

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from events.receiver import Received, Receiver

KINDS = ("dial-in", "dial-out", "answer", "hangup")
COLUMNS = ("EventType", "extension", "CallStatus", "CallerIDNum", "CalledNumber", "BundleInfo")
SECONDS = 5
Event = tuple[str, ...]
"""What the demo shows of an event: numbers instead of ids, of `BundleInfo` the number alone."""


def story(caller: str, called: str, *, shown: str, dialled: str, of: str = "", to: str = "") -> list[Event]:
    """Return what is told of a call that is answered and ended.

    `caller`, `called`: the main extensions; `shown`: who calls, as others see it; `of`, `to`: the bundles.
    """
    return [
        (f"dial-{flow}" if kind == "dial" else kind, number, status, shown, dialled, bundle)
        for kind, status in (("dial", "CALLING"), ("answer", "ANSWER"), ("hangup", "ANSWER"))
        for flow, number, bundle in (("out", caller, of), ("in", called, to))
    ]


class Subscriber(Receiver):
    """A server that the demo's events are sent to."""

    def __init__(self, numbers: dict[int, str]) -> None:
        super().__init__()
        self.secrets: dict[str, str] = {}
        self._numbers = {str(extension): number for extension, number in numbers.items()}

    def heard(self, call_id: str, count: int) -> list[Event]:
        """Return the events of a call, each once by its id, when so many have come."""
        deadline = time.monotonic() + SECONDS
        while len(mine := self._of(call_id)) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        return [self._shown(each.fields) for each in mine]

    def unsigned(self) -> list[Received]:
        """Return all that came without a good signature."""
        return [each for each in self.received if not self._is_signed(each)]

    def _of(self, call_id: str) -> list[Received]:
        once = {each.id: each for each in reversed(self.received) if each.fields["CallID"] == call_id}
        return list(reversed(once.values()))

    def _is_signed(self, request: Received) -> bool:
        try:
            request.verify(self.secrets[request.fields["EventType"]])
        except WebhookVerificationError:
            return False
        return True

    def _shown(self, told: dict[str, str]) -> Event:
        extension = self._numbers[told["SubCallID"].partition("-")[0]]
        bundle = told["BundleInfo"].split(";")[1] if "BundleInfo" in told else ""
        return told["EventType"], extension, *(told[name] for name in COLUMNS[2:5]), bundle


def show(console: Console, url: str, events: list[Event]) -> None:
    """Print what was heard."""
    table = Table(*COLUMNS, title=f"Events of it, as {url} received them", title_justify="left")
    for event in events:
        table.add_row(*event)
    console.print(table)
