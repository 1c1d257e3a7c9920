"""Memory of the switch: what it has when empty, and what each registered phone and each call adds."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from meter import kamailio, private
from people import People
from place import SETTLED_SECONDS, Place, Row, all_good, bundles_of, register, warm
from sip import sipp
from sip.exchange import Exchange

RATE, UP, HELD_MS = 100, 900, 12_000
"""Calls that are placed, and up at one time."""


def sizes(place: Place) -> Iterator[Row]:
    people = bundles_of(3)
    with sipp.phones(place.folder, 3) as phones, place.exchange(place.database(people)) as ours:
        pids = kamailio(ours.folder / "switch")
        empty, alone = _shared(ours), max(private(pids))
        registrations = [each for ports in ((5080,) * 3, (5081,) * 3) for each in people.phones(ports)]
        register(ours.port, registrations)
        time.sleep(SETTLED_SECONDS)
        full, registered = _shared(ours), max(private(pids))
        register(ours.port, people.phones(phones.ports))
        warm(ours.port, people)
        time.sleep(SETTLED_SECONDS)
        before = _shared(ours)
        up = _shared_with_calls(ours, people)
        busy = max(private(pids))
    yield Row("shared memory of the switch when empty", f"{empty / 1e6:.1f} MB")
    yield Row("  for each registered phone", f"{(full - empty) / len(registrations):,.0f} bytes")
    yield Row("  for each call that is up", f"{(up - before) / UP:,.0f} bytes")
    yield Row("private memory of its largest process, when empty", f"{alone / 1e6:.1f} MB")
    yield Row(
        "  with the phones registered; with the calls up", f"{registered / 1e6:.1f} MB; {busy / 1e6:.1f} MB"
    )


def _shared_with_calls(ours: Exchange, people: People) -> int:
    with ThreadPoolExecutor(1) as thread:
        placed = thread.submit(sipp.calls, ours.port, people.calls, rate=RATE, many=UP, held_ms=HELD_MS)
        while _statistic(ours, "dialog:active_dialogs") < UP:
            if placed.done():
                raise SystemExit("bench: calls ended before all were up")
            time.sleep(0.1)
        time.sleep(SETTLED_SECONDS)  # their transactions are over
        used = _shared(ours)
        all_good(placed.result())
    return used


def _shared(ours: Exchange) -> int:
    return _statistic(ours, "shmem:real_used_size")


def _statistic(ours: Exchange, name: str) -> int:
    found = dict(
        line.split(" = ") for line in ours.rpc("stats.get_statistics", name.partition(":")[0] + ":")["result"]
    )
    return int(found[name])
