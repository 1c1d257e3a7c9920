"""What the API says of an office's calls when they are over."""

from dataclasses import dataclass

from parts import until
from sip.exchange import Office
from sip.heard import compare
from sip.shown import bundle_of, check
from sip.story import stories, stories_of

EVER = {"start_datetime": "2000-1-1", "end_datetime": "2100-1-1", "per_page": 1000}


@dataclass
class Past:
    """A call as `call_history` shows it, and its legs as `cdr` does."""

    office: Office
    shown: dict

    @property
    def call(self) -> tuple[str, ...]:
        """Whose it was, from whom to whom, and how it ended."""
        one = self.shown
        return (
            f"{one['flow']} of {self.number(one['extension_id'])}",
            f"{short(one['from_username'])} calls {short(one['to_username'])}",
            one["result"],
            one["hangup_disposition"],
        )

    @property
    def legs(self) -> list[str]:
        """Each leg: flow, extension, result, the bundle that it was of or the phone that called, transfer."""
        return sorted(
            f"{leg['flow']} {self.number(leg['extension_id'])} {leg['result']}" + self._of(leg)
            for leg in self.shown["cdr"]
        )

    def number(self, extension_id: int | None) -> str:
        return self.office.number(extension_id) or str(extension_id)

    def _of(self, leg: dict) -> str:
        assert leg["transfer"] == (leg["transfer_reason"] is not None)
        transfer = f", {leg['transfer_reason']}" if leg["transfer"] else ""
        number = bundle_of(self.office, leg)
        return f", {number}{transfer}" if number else transfer


def past(office: Office, calls: int = 1, told: int = 0) -> list[Past]:
    """All calls of this office, oldest first, when they are over and all of them has been told.

    `told`: what the switch takes for calls; there are more of those than calls after transfers.
    """
    stories(office, told or calls)
    found = over(office)
    assert len(found) == calls
    api = office.tenant.api
    legs = api.get("/client/@me/cdr/", params=EVER | {"order": "asc"}).json()["cdr"]
    assert [leg for each in found for leg in each.shown["cdr"]] == legs
    for each in found:
        one = each.shown
        assert api.get(f"/client/@me/call_history/{one['call_uuid'].lower()}").json() == one
    return found


def compare_all(office: Office) -> None:
    """Compare all calls of this office that are over: all that the API shows, and what a subscriber was told.

    What is told of transfers is compared by the tests of those.
    """
    calls = {each.shown["call_uuid"].lower(): each.shown for each in over(office)}
    stories = stories_of(office, calls)
    transferred = {event.get("transfer") for each in stories.values() for event in each.events}
    for call_id, call in calls.items():
        check(office, call, stories[call_id])
        if call_id not in transferred:
            compare(office, call, stories[call_id])


def over(office: Office) -> list[Past]:
    """The calls of this office that are over now, oldest first."""
    query = EVER | {"order": "asc"}
    answer = office.tenant.api.get("/client/@me/call_history/", params=query)
    return [Past(office, call) for call in answer.json()["call_history"]]


def all_over(office: Office, calls: int, seconds: float = 5) -> list[Past]:
    """The same, when there are that many: also of calls that ended amid their beginning."""
    found: list[Past] = []

    def enough() -> bool:
        found[:] = over(office)
        return len(found) >= calls

    until(enough, seconds, lambda: [each.call for each in found])
    return found


def history(office: Office) -> Past:
    """The only call of this office."""
    return past(office)[0]


def short(number: str) -> str:
    """A number without the client's prefix."""
    return number.rpartition("*")[2]
