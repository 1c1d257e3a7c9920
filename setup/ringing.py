"""The demo's calls: who rings, who answers, what each party sees. The phone is that of the tests."""

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from sip.call import Leg
from sip.message import Address
from sip.phone import Phone

SILENT, ANSWERED = "silent", "rings, answers"
STOPPED = "rings, stops: answered elsewhere"
Phones = dict[str, Phone]


@dataclass(frozen=True)
class Outcome:
    """What happened at each phone, whom the caller was connected to, whom the phones saw calling."""

    phones: Mapping[str, str]
    connected: str
    calling: frozenset[str]


def register(stack: ExitStack, proxy: tuple[str, int], domain: str, keys: Mapping[str, str]) -> Phones:
    """Register a phone for each user (`0003*100`) with its password; return them by number."""
    phones = {}
    for user, password in keys.items():
        phone = stack.enter_context(Phone(user, password, domain, proxy))
        answer = phone.register()
        if answer.status != 200:
            raise SystemExit(f"demo: REGISTER of {user}: {answer.summary}")
        phones[user.rpartition("*")[2]] = phone
    return phones


def call(phones: Phones, caller: str, dialled: str, answers: str) -> Outcome:
    """Let one phone call, another answer, and the caller hang up."""
    legs: dict[str, Leg] = {}
    for number, phone in phones.items():
        phone.on_call = _ring(legs, number)
    placed = phones[caller].invite(dialled)
    first = phones[answers].expect_invite()
    placed.wait(180)
    _settle(phones)
    first.answer()
    connected = placed.final().asserted_identity
    first.wait_ack()
    for leg in legs.values():
        if leg is not first:
            leg.wait_cancelled()
    placed.bye()
    _settle(phones)
    told = {number: _fate(legs.get(number)) for number in phones if number != caller}
    return Outcome(told, _name(connected), frozenset(_name(leg.caller) for leg in legs.values()))


def show(console: Console, title: str, outcome: Outcome) -> None:
    """Print what happened."""
    console.print(f"\n[italic]{title}[/italic]", highlight=False)
    table = Table(show_header=False)
    for number, fate in outcome.phones.items():
        table.add_row(
            f"phone {number}", fate, style="dim" if fate == SILENT else "bold" if fate == ANSWERED else None
        )
    table.add_section()
    table.add_row("the phones see", ", ".join(sorted(outcome.calling)))
    table.add_row("the caller sees", outcome.connected)
    console.print(table)


def _settle(phones: Phones) -> None:
    """Let each phone ask something: what the switch sent to it before has come."""
    for phone in phones.values():
        phone.settle()


def _ring(legs: dict[str, Leg], number: str) -> Callable[[Leg], None]:
    """Return what a phone does with a call."""

    def ring(leg: Leg) -> None:
        legs[number] = leg
        leg.ring()

    return ring


def _fate(leg: Leg | None) -> str:
    if leg is None:
        return SILENT
    if leg.cancelled is None:
        return ANSWERED
    return STOPPED if "SIP;cause=200" in leg.cancelled.headers.get("Reason") else "rings, stops"


def _name(address: Address | None) -> str:
    return f"{address.display} <{address.user}>" if address else "nobody"
