"""Calls that nobody placed: their events, and what history must say of them."""

import msgspec
from hypothesis import strategies as st

from peal.calls.event import Event, Extension, Known

BUNDLE = ("100", "101", "102")
IDS = {"100": 1, "101": 2, "102": 3, "200": 4}
KNOWN = Known(
    7,
    {f"0003*{number}": Extension(made, "phone", f"Name {number}") for number, made in IDS.items()},
    [f"0003*{number}" for number in BUNDLE],
)
"As if all were known of every call; 200 calls, 100 is called."
ENDS = {"486": "busy", "600": "busy", "480": "rejected", "488": "rejected", "603": "rejected"}
"How a phone that says this itself has ended."


class Script(msgspec.Struct, frozen=True):
    """What shall happen in a call of 200 to 100."""

    answers: str | None
    codes: dict[str, str]
    "What each of the others says before: its own code, or 487 when it is cancelled, or `timeout`."
    code: str
    "What the caller is told in the end."
    ended_by: str
    is_lost: bool


@st.composite
def scripts(draw) -> Script:
    """Any call of 200 to the bundle."""
    answers = draw(st.sampled_from([None, *BUNDLE]))
    said = st.sampled_from([*ENDS, "487", "timeout"])
    codes = {number: draw(said) for number in BUNDLE if number != answers}
    code = "200" if answers else draw(st.sampled_from(["480", "486", "487", "603"]))
    return Script(
        answers, codes, code, draw(st.sampled_from(["caller", "callee", "switch"])), draw(st.booleans())
    )


def events(script: Script, call: str = "a" * 32, begins: int = 1_700_000_000) -> list[Event]:
    """The events of that call, as the switch numbers them."""
    told = []
    parties = {"domain": "pbx.test", "from": "0003*200", "from_main": "0003*200", "to": "0003*100"}
    parties |= {"to_main": "0003*100", "dialled": "100", "known": KNOWN}

    def tell(kind: str, **fields):
        seq = len(told) + 1
        told.append({"call": call, "seq": seq, "type": kind, "at": f"{begins + seq}.000001"} | fields)

    tell("begin", **parties)
    for branch, number in enumerate(BUNDLE):
        tell("ring", device=number, leg=branch)
    for branch, number in enumerate(BUNDLE):
        if script.codes.get(number) != "487" and number in script.codes:
            tell("leg", device=number, leg=branch, code=script.codes[number])
    if script.answers:
        tell("leg", device=script.answers, leg=BUNDLE.index(script.answers), code="200")
        parties |= {
            "answered_by": script.answers,
            "answered_at": f"{1_700_000_000 + len(told)}.5".ljust(17, "0"),
        }
        tell("answer", **parties)
    for branch, number in enumerate(BUNDLE):
        if script.codes.get(number) == "487":
            tell("leg", device=number, leg=branch, code="487")
    if script.is_lost:
        told.append({"call": call, "seq": 2**31 - 1, "type": "lost", "at": f"{begins + 1000}.000000"})
    else:
        tell("hangup", **parties, code=script.code, ended_by=script.ended_by)
    return [msgspec.convert(one, Event) for one in told]


def legs(script: Script) -> list[tuple[str, str]]:
    """What must stand of each phone that rang."""
    return [(number, _leg(script, number)) for number in BUNDLE]


def _leg(script: Script, number: str) -> str:
    if number == script.answers:
        return "answered"
    code = script.codes[number]
    if code == "487" and script.answers:
        return "answered elsewhere"
    return ENDS.get(code, "not answered")
