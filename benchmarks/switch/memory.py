"""Memory of the switch: what it has when empty, and what each registered phone and each call adds."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from meter import kamailio, private
from people import People
from place import SETTLED_SECONDS, Place, bundles_of, register, warm
from report import Row
from sip import sipp
from sip.exchange import Exchange

RATE, UP, HELD_MS = 100, 900, 20_000
"""Calls that are placed, and up at one time."""


def sizes(place: Place) -> Iterator[Row]:
    people = bundles_of(3)
    with place.exchange(place.database(people)) as ours:
        pids = kamailio(ours.folder / "switch")
        empty, alone = ours.shared_memory, max(private(pids))
        registrations = [each for ports in ((5080,) * 3, (5081,) * 3) for each in people.phones(ports)]
        register(ours.port, registrations)
        time.sleep(SETTLED_SECONDS)
        phone = (ours.shared_memory - empty) / len(registrations)
        registered = max(private(pids))
        for answering in (1, 0):
            with sipp.phones(place.folder, 3, answering) as phones:
                register(ours.port, people.phones(phones.ports))
                if answering:
                    warm(ours.port, people)
                    up = _of_a_call(ours, people, "active_dialogs")
                else:
                    ringing = _of_a_call(ours, people, "early_dialogs")
        busy = max(private(pids))
    yield Row("shared memory of the switch when empty", f"{empty / 1e6:.1f} MB")
    yield Row("  for each registered phone", f"{phone:,.0f} bytes")
    yield Row("  for each call that is up", f"{up:,.0f} bytes")
    yield Row("  for each call that rings, three phones", f"{ringing:,.0f} bytes")
    yield Row("private memory of its largest process, when empty", f"{alone / 1e6:.1f} MB")
    yield Row(
        "  with the phones registered; after the calls", f"{registered / 1e6:.1f} MB; {busy / 1e6:.1f} MB"
    )


def _of_a_call(ours: Exchange, people: People, state: str) -> float:
    """Return the shared memory of each call, with so many of them in a state."""
    time.sleep(SETTLED_SECONDS)
    before = ours.shared_memory
    with ThreadPoolExecutor(1) as thread:
        placed = thread.submit(sipp.calls, ours.port, people.calls, rate=RATE, many=UP, held_ms=HELD_MS)
        time.sleep(UP / RATE + SETTLED_SECONDS)  # all are there, transactions of answered ones are over
        used, there = ours.shared_memory, int(ours.rpc("cnt.get", "dialog", state)["result"])
        placed.result()
    if there < UP / 2:
        raise SystemExit(f"bench: {there} calls of {UP} are there")
    return (used - before) / there
