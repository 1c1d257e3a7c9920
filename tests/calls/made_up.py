"""Calls that nobody placed: their events, and what history must say of them."""

import msgspec
from hypothesis import strategies as st

from peal.calls.event import Event, Extension, Known

BUNDLE = ("100", "101", "102")
PHONES = ("100", "101", "101", "102")
"That ring: by their branches."
IDS = {"100": 1, "101": 2, "102": 3, "200": 4}
KNOWN = Known(
    7,
    {f"0003*{number}": Extension(made, "phone", f"Name {number}") for number, made in IDS.items()}
    | {"0003*300": Extension(5, "queue", "300")},
    [f"0003*{number}" for number in BUNDLE],
)
"As if all were known of every call; 200 calls, 100 is called."
ENDS = {"486": "busy", "600": "busy", "480": "rejected", "488": "rejected", "603": "rejected"}
"How a phone that says this itself has ended."


class Script(msgspec.Struct, frozen=True):
    """What shall happen in a call of 200 to 100."""

    answers: int | None
    "The branch of the phone that has the call."
    codes: dict[int, str]
    """What each of the others says, by its branch: its own code, 487 when it is cancelled, `timeout`, or 200
    when it answers at the same moment."""
    code: str
    "What the caller is told in the end."
    ended_by: str
    is_lost: bool


@st.composite
def scripts(draw) -> Script:
    """Any call of 200 to the bundle."""
    branches = range(len(PHONES))
    answers = draw(st.sampled_from([None, *branches]))
    said = st.sampled_from([*ENDS, "487", "timeout", *(["200"] if answers is not None else [])])
    codes = {branch: draw(said) for branch in branches if branch != answers}
    code = draw(st.sampled_from(["480", "486", "487", "603"])) if answers is None else "200"
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

    def end(branches):
        for branch in branches:
            tell("leg", device=PHONES[branch], leg=branch, code=script.codes[branch])

    tell("begin", **parties)
    for branch, number in enumerate(PHONES):
        tell("ring", device=number, leg=branch)
    end(branch for branch, code in script.codes.items() if code not in ("200", "487"))
    if script.answers is not None:
        number = PHONES[script.answers]
        tell("leg", device=number, leg=script.answers, code="200")
        answered_at = f"{begins + len(told)}.500000"
        parties |= {"answered_by": number, "answered_at": answered_at}
        tell("answer", **parties)
    end(branch for branch, code in script.codes.items() if code in ("200", "487"))
    if script.is_lost:
        told.append({"call": call, "seq": 2**31 - 1, "type": "lost", "at": f"{begins + 1000}.000000"})
    else:
        tell("hangup", **parties, code=script.code, ended_by=script.ended_by)
    return [msgspec.convert(one, Event) for one in told]


def legs(script: Script) -> list[tuple[str, str]]:
    """What must stand of each phone that rang."""
    return [(number, _leg(script, branch)) for branch, number in enumerate(PHONES)]


def _leg(script: Script, branch: int) -> str:
    if branch == script.answers:
        return "answered"
    code = script.codes[branch]
    if code in ("200", "487") and script.answers is not None:
        return "answered elsewhere"
    return ENDS.get(code, "not answered")
