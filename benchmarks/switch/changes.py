"""A change: how soon it is in force, CPU of the switch; and its start: in small and large installations."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import data
from load import ratios
from meter import Meter, kamailio
from parts import Postgres
from people import DOMAIN, People
from place import SETTLED_SECONDS, Place, idle_share, register
from report import Row
from sip.exchange import Exchange
from sip.phone import Phone
from sip.sipp import PASSWORD

FEW, MANY = 1_000, 1_000_000
BUNDLE = 5
KNOWN = People(500, BUNDLE, data.CLIENT)
"""Extensions whose routing rows the switch has; the changes are theirs."""
SAMPLES = 10


def both_databases(place: Place) -> Iterator[Row]:
    yield from _changes(place, "SQLite", lambda size: data.sqlite(place.folder, size, BUNDLE))
    folder = place.folder / "pg"
    folder.mkdir()
    cluster = Postgres(folder)
    try:
        yield from _changes(place, "PostgreSQL", lambda size: data.postgresql(cluster, size, BUNDLE))
    finally:
        cluster.stop()


def _changes(place: Place, what: str, make: Callable[[int], str]) -> Iterator[Row]:
    urls = [make(size) for size in (FEW, MANY)]
    for url in urls:
        KNOWN.give_passwords(url)
    with place.exchange(urls[0]) as small, place.exchange(urls[1]) as large:
        cheap, dear = ratios(place.rounds, *(_cost(_known(each)) for each in (small, large)))
        soon, late = ([_in_force(each, n) for n in range(SAMPLES)] for each in (small, large))
        again = statistics.median(_start_again(large) for _ in range(place.rounds))
        start = statistics.median(_start(large) for _ in range(place.rounds))
    yield Row(f"{what}, {MANY:,} extensions: a change in force after", _spread(late), "1.5 s")
    yield Row(f"  with {FEW:,}", _spread(soon), "1.5 s")
    yield Row("  CPU of the switch, a bundle of five changed", f"{dear * 1000:.2f} ms")
    yield Row(f"  against {FEW:,} extensions", f"{dear / cheap:.2f} x ({cheap * 1000:.2f} ms)", "1.5 x")
    yield Row(f"{what}, {MANY:,} extensions: start of the switch", f"{again:.2f} s", "1 s")
    yield Row("  with `peal switch run`, which watches it", f"{start:.2f} s")


def _spread(seconds: list[float]) -> str:
    return f"{max(seconds):.2f} s at most, {statistics.median(seconds):.2f} s in the median"


@dataclass(frozen=True)
class _Known:
    """An exchange that knows its people, and what its switch spends when idle."""

    exchange: Exchange
    meter: Meter
    idle: float


def _known(exchange: Exchange) -> _Known:
    register(exchange.port, KNOWN.phones([5070] * BUNDLE))
    meter = Meter.of_folder(exchange.folder / "switch")
    return _Known(exchange, meter, idle_share(meter))


def _cost(known: _Known) -> Callable[[], float]:
    """Return a measure of the switch's CPU seconds per changed bundle."""
    limit = 0

    def measure() -> float:
        nonlocal limit
        limit += 1
        began, before = time.monotonic(), known.meter.seconds()
        for main in KNOWN.mains:
            _put(known.exchange, f"/extension/{main + 1}/phone/", incoming_limit=limit)
        time.sleep(SETTLED_SECONDS)
        spent = known.meter.seconds() - before - known.idle * (time.monotonic() - began)
        return spent / len(KNOWN.mains)

    return measure


def _in_force(exchange: Exchange, number: int) -> float:
    """Return the seconds from the answer to a change until the switch acts so: a phone is blocked."""
    main = KNOWN.mains[number]
    path = f"/client/{main // data.CLIENT + 1}/extension/{main + 1}"
    peer = ("127.0.0.1", exchange.port)
    with Phone(KNOWN.name(main), PASSWORD, DOMAIN, peer) as phone:
        assert phone.register().status == 200
        _put(exchange, path, status="blocked")
        changed = time.monotonic()
        while phone.register().status == 200:
            time.sleep(0.005)
        seconds = time.monotonic() - changed
    _put(exchange, path, status="active")
    return seconds


def _start_again(exchange: Exchange) -> float:
    """Return the seconds from the death of the switch to one, started by its watcher, that can route."""
    folder = exchange.folder / "switch"
    before = set(kamailio(folder))
    os.kill(int((folder / "kamailio.pid").read_text()), signal.SIGKILL)
    began = time.monotonic()
    while before & set(kamailio(folder)) or not exchange.is_ready():
        time.sleep(0.01)
    return time.monotonic() - began


def _start(exchange: Exchange) -> float:
    """Return the seconds from the command to a switch that can route."""
    exchange.process.terminate()
    exchange.process.wait(20)
    began = time.monotonic()
    exchange.start()
    return time.monotonic() - began


def _put(exchange: Exchange, path: str, **fields: object) -> None:
    answer = exchange.api.admin.put(path, json=fields)
    answer.raise_for_status()
