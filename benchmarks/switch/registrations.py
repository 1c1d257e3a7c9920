"""How many phones can register in a second."""

from collections.abc import Callable, Iterator
from typing import Protocol

from engine import engine
from load import ratios
from place import Place, all_good, bundles_of, register
from report import Row
from sip import sipp

MANY = 3600
"""Of each measurement; each phone four times."""


class _Switch(Protocol):
    port: int


def rates(place: Place) -> Iterator[Row]:
    """Phones that the switch knows register anew."""
    people = bundles_of(3)
    phones = people.phones([5070, 5071, 5072])
    with (
        place.exchange(place.database(people)) as ours,
        engine(place.folder / "engine-file", to_file=True) as to_file,
        engine(place.folder / "engine-memory") as in_memory,
    ):
        mine, written, kept = ratios(
            place.rounds, *(_rate(each, phones) for each in (ours, to_file, in_memory))
        )
    yield Row("REGISTER per second", f"{mine:,.0f}/s")
    yield Row(
        "  against the engine, registrations in a file", f"{mine / written:.2f} x ({written:,.0f}/s)", "0.8 x"
    )
    yield Row("  against the engine, in memory only", f"{mine / kept:.2f} x ({kept:,.0f}/s)")


def _rate(switch: _Switch, phones: list[tuple[str, int]]) -> Callable[[], float]:
    register(switch.port, phones)

    def measure() -> float:
        done = sipp.registrations(switch.port, phones, many=MANY)
        all_good(done)
        return done.rate

    return measure
