"""What a call costs the switch, and how many it can take."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import engine
from load import ratios
from meter import Meter
from people import People
from place import SETTLED_SECONDS, Place, all_good, bundles_of, idle_share, register, warm
from report import Row
from sip import sipp
from sip.exchange import Exchange

RATE, CALLS = 150, 900
"""Calls per second, and of each measurement, where their CPU is measured."""
TRIAL_SECONDS = 5


def bundle(place: Place) -> Iterator[Row]:
    return _against_engine(place, "bundle of three", 3)


def single(place: Place) -> Iterator[Row]:
    return _against_engine(place, "single extension", 1)


def _against_engine(place: Place, what: str, size: int) -> Iterator[Row]:
    people = bundles_of(size)
    with (
        sipp.phones(place.folder, size) as phones,
        place.exchange(place.database(people)) as ours,
        engine(place.folder / f"engine-{size}") as best,
    ):
        register(ours.port, people.phones(phones.ports))
        register(best.port, people.phones_of_one(phones.ports))
        cost, least = ratios(
            place.rounds,
            _cost(people, ours.port, ours.folder / "switch"),
            _cost(people, best.port, best.folder),
        )
    yield Row(f"CPU per call, {what}", f"{cost * 1000:.2f} ms")
    yield Row("  against the engine's own best", f"{cost / least:.2f} x ({least * 1000:.2f} ms)", "2.3 x")


def _cost(people: People, port: int, folder: Path) -> Callable[[], float]:
    """Return a measure of the switch's CPU seconds per call, without what it spends when idle."""
    warm(port, people)
    meter = Meter.of_folder(folder)
    idle = idle_share(meter)

    def measure(again: int = 2) -> float:
        began, before = time.monotonic(), meter.seconds()
        done = sipp.calls(port, people.calls, rate=RATE, many=CALLS)
        time.sleep(SETTLED_SECONDS)
        spent = meter.seconds() - before - idle * (time.monotonic() - began)
        if done.failed and again:  # the machine was busy with something else
            return measure(again - 1)
        all_good(done)
        return spent / done.good

    return measure


@dataclass(frozen=True)
class _Trial:
    """A rate that was tried: whether all went well, and CPU seconds per second."""

    good: bool
    switch: float
    forwarder: float
    phones: float


def top(place: Place) -> Iterator[Row]:
    people = bundles_of(3)
    with sipp.phones(place.folder, 3) as phones, place.exchange(place.database(people)) as ours:
        register(ours.port, people.phones(phones.ports))
        warm(ours.port, people)
        rate, trial = _highest(lambda rate: _try(people, ours, phones, rate))
    yield Row("top call rate, bundle of three, no call failed", f"{rate} calls/s")
    yield Row("  CPU of the switch, of two cores", f"{trial.switch:.2f}")
    yield Row("  CPU of its forwarder of events", f"{trial.forwarder:.2f}")
    yield Row("  CPU of the phones, on the same cores", f"{trial.phones:.2f}")


def _highest(attempt: Callable[[int], _Trial], rate: int = 100) -> tuple[int, _Trial]:
    """Return the highest rate that goes well: half as much again until one does not, then between."""
    best, bad = (0, _Trial(False, 0, 0, 0)), 0
    while not bad or bad - best[0] > bad / 12:
        trial = attempt(rate)
        if not trial.good:
            trial = attempt(rate)  # once may be the machine's doing
        if trial.good:
            best = rate, trial
        else:
            bad = rate
        rate = (best[0] + bad) // 2 if bad else rate * 3 // 2
    return best


def _try(people: People, ours: Exchange, phones: sipp.Phones, rate: int) -> _Trial:
    meters = [
        Meter.of_folder(ours.folder / "switch"),
        Meter.of_process(ours.forwarder),
        Meter(phones.pids),
    ]
    before = [meter.seconds() for meter in meters]
    began = time.monotonic()
    done = sipp.calls(ours.port, people.calls, rate=rate, many=rate * TRIAL_SECONDS)
    took = time.monotonic() - began
    switch, forwarder, waiting = (
        (meter.seconds() - was) / took for meter, was in zip(meters, before, strict=True)
    )
    time.sleep(3)  # what has failed is given up
    on_time = took < TRIAL_SECONDS + 1.5
    return _Trial(not done.failed and on_time, switch, forwarder, waiting + done.cpu / took)
