"""What a real HTTP subscriber hears of every call of an exchange, compared whole with what history shows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from events.books import Books
from events.exchange import delivering
from parts import until
from sip.exchange import Exchange, Office
from sip.story import Story

STATUS = {"answered": "ANSWER", "busy": "BUSY", "rejected": "BUSY", "not answered": "NOANSWER"}
"What a hangup says, by the result of the call."
UNREACHED = {"SUBSCRIBER_ABSENT": "CHANUNAVAIL"}
"The same of one that failed, by its cause; of any other it says CONGESTION."
MOMENT = {"EventTime", "Duration", "SubCallID", "CallAPIID"}
"Compared by itself: time, and names that only must not be each other's."


class Listener(Books):
    """Hears all calls of an exchange."""

    def __init__(self):
        super().__init__()
        self.compared: dict[str, int] = {}
        "How many events each call had when it was compared."

    def told(self, call: str, count: int, seconds: float = 10) -> list[dict[str, str]]:
        """All that was told of a call, in its order, when it is so much."""
        until(lambda: len(self.of(call)) >= count, seconds, lambda: self.of(call))
        return self.of(call)


@contextmanager
def listening(exchange: Exchange) -> Iterator[Listener]:
    """Have all offices of an exchange, from now on, heard by one subscriber."""
    with Listener() as listener, delivering(exchange.api.database, exchange.folder, events_seconds="5"):
        exchange.listener = listener
        yield listener
        exchange.listener = None
        assert {call: len(listener.of(call)) for call in listener.compared} == listener.compared
        assert listener.changed == []


def compare(office: Office, call: dict, story: Story) -> None:
    """A call of `call_history` that no transfer is part of: its sides have heard exactly what it shows."""
    sides = _sides(office, call, story.dialled)
    kinds = ["dial", *(["answer"] if call["bridged"] else []), "hangup"]
    expected = [{**side, **_at(kind, side, call)} for kind in kinds for side in sides]
    told = office.exchange.listener.told(call["call_uuid"], len(expected))
    assert [{name: one[name] for name in one.keys() - MOMENT} for one in told] == expected
    _check_moments(call, told)
    office.exchange.listener.compared[call["call_uuid"]] = len(told)


def _sides(office: Office, call: dict, dialled: str) -> list[dict[str, str]]:
    """What all events of each side say: of the caller if it is ours, of the called unless it is the same."""
    caller = [leg for leg in call["cdr"] if leg["flow"] == "out" and leg["extension_id"]]
    called = call["flow"] == "in" and call["extension_id"]
    parties = {
        "CallID": call["call_uuid"],
        "CallerIDNum": call["from_username"].rpartition("*")[2],
        "CallerIDName": call["from_screen_name"] or "",
        "CalledNumber": dialled,
    }
    for leg in caller:
        parties |= {"CallerExtension": leg["extension_name"], "CallerExtensionID": str(leg["extension_id"])}
    if called:
        parties |= {"CalledExtension": call["extension_name"], "CalledExtensionID": str(call["extension_id"])}
    if call["did_number"]:
        parties["CalledDID"] = call["did_number"]
    sides = [_side(parties, "out", leg["bundle_info"]) for leg in caller]
    if called and call["extension_id"] not in [leg["extension_id"] for leg in caller]:
        sides.append(_side(parties, "in", _trace(office, call)))
    return sides


def _side(parties: dict[str, str], flow: str, trace: str | None) -> dict[str, str]:
    return parties | {"CallFlow": flow} | ({"BundleInfo": trace} if trace else {})


def _trace(office: Office, call: dict) -> str | None:
    """The bundle that was called: its legs name it; with none, it is that of the office."""
    number, legs = office.number(call["extension_id"]), [leg for leg in call["cdr"] if leg["flow"] == "in"]
    if legs:
        return legs[0]["bundle_info"]
    return f"{call['extension_id']};{number};{call['call_uuid'][:4].lower()}" if number == "100" else None


def _at(kind: str, side: dict[str, str], call: dict) -> dict[str, str]:
    """What the event of that kind says of its own."""
    if kind == "dial":
        return {"EventType": f"dial-{side['CallFlow']}", "CallStatus": "CALLING"}
    if kind == "answer":
        return {"EventType": "answer", "CallStatus": "ANSWER"}
    told = {"EventType": "hangup", "CallStatus": _status(call)}
    for leg in call["cdr"]:
        if leg["bridged"] and leg["flow"] == side["CallFlow"]:
            told["RecID"] = leg["record_uuid"]
    return told


def _status(call: dict) -> str:
    if call["hangup_cause"] in ("ORIGINATOR_CANCEL", "NORMAL_CLEARING") and not call["bridged"]:
        return "CANCEL"
    return STATUS.get(call["result"]) or UNREACHED.get(call["hangup_cause"], "CONGESTION")


def _check_moments(call: dict, told: list[dict[str, str]]) -> None:
    """Each happened when history says, lasted so long, and names its side."""
    times = {"dial-in": "init", "dial-out": "init", "answer": "bridged", "hangup": "hangup"}
    began = {one["CallFlow"]: int(one["EventTime"]) for one in told if one["EventType"].startswith("dial")}
    names = set()
    for one in told:
        moment = int(one["EventTime"])
        second = datetime.fromtimestamp(moment // 1_000_000, UTC)
        assert f"{second:%Y-%m-%d %H:%M:%S}" == call[f"{times[one['EventType']]}_time_gmt"]
        if one["EventType"] == "hangup":
            assert int(one["Duration"]) == moment - began[one["CallFlow"]]
        own = one["CallerExtensionID" if one["CallFlow"] == "out" else "CalledExtensionID"]
        assert re.fullmatch(f"{own}-[0-9A-F]{{32}}", one["SubCallID"])
        assert re.fullmatch(f"{own}-[0-9a-f-]{{36}}", one["CallAPIID"])
        names.add((one["CallFlow"], one["SubCallID"], one["CallAPIID"]))
    assert len(names) == len(began)
