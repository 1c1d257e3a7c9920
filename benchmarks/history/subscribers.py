"""Delivery: what a few dead subscribers cost those that are alive, and what a long backlog costs its own."""

import asyncio
import secrets
import socket
import statistics
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field

import data
from events.exchange import delivering, tell
from parts import look
from place import Place
from report import Row
from sqlalchemy import insert

from peal.events import signature
from peal.events.notice import Notice
from peal.events.tables import subscriber, subscription

SUBSCRIBERS, SILENT, REFUSING = 200, 5, 5
EVENTS = 60
"""For each subscriber: told before the deliverer starts, so that it does all it can."""
BACKLOGS = 2_000, 20_000
SECONDS = 10
"""How long a subscriber may take: as it is by default."""
LONGEST_SECONDS = 300


@dataclass(frozen=True)
class Load:
    """What is to be delivered: so many events to each of so many, some of whom are dead."""

    subscribers: int
    events: int
    silent: int = 0
    refusing: int = 0

    @property
    def dead(self) -> int:
        return self.silent + self.refusing


@dataclass
class Tally:
    """What the living have taken: each event of each once."""

    wanted: int
    taken: set[tuple[int, bytes]] = field(default_factory=set)
    begun: float = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, n: int, event: bytes):
        self.begun = self.begun or time.perf_counter()
        self.taken.add((n, event))
        if len(self.taken) == self.wanted:
            self.over.set()


class Alive(asyncio.Protocol):
    """The subscriber `n`, which takes all that comes."""

    def __init__(self, n: int, tally: Tally):
        self.n, self.tally, self.rest = n, tally, b""

    def connection_made(self, transport: asyncio.BaseTransport):
        self.transport = transport

    def data_received(self, data: bytes):
        self.rest += data
        head, found, body = self.rest.partition(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if found and len(body) == int(fields[b"content-length"]):
            self.rest = b""
            self.tally.take(self.n, fields[b"webhook-id"])
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


def rates(place: Place) -> list[Row]:
    """Return how many events a second the living are sent, with dead ones among them and without."""
    all_alive, some_dead = Load(SUBSCRIBERS, EVENTS), Load(SUBSCRIBERS, EVENTS, SILENT, REFUSING)
    alone, beside = _medians(place, all_alive, some_dead)
    living = SUBSCRIBERS - SILENT - REFUSING
    return [
        Row(f"events sent a second to {SUBSCRIBERS} subscribers, all alive", f"{alone:.0f}"),
        Row(f"the same to {living} alive, beside {SILENT} silent and {REFUSING} refusing", f"{beside:.0f}"),
        Row("rate for the living, beside dead ones / all alive", f"{beside / alone:.2f}", "0.95"),
    ]


def backlog(place: Place) -> list[Row]:
    """Return how many events a second a subscriber is sent that comes back, by how many wait for it."""
    few, many = BACKLOGS
    short, long = _medians(place, Load(1, few), Load(1, many))
    return [
        Row(f"events sent a second to one subscriber, {few} waiting", f"{short:.0f}"),
        Row(f"the same, {many} waiting", f"{long:.0f}"),
        Row(f"rate with {many} waiting / {few}", f"{long / short:.2f}"),
    ]


def _medians(place: Place, one: Load, other: Load) -> tuple[float, float]:
    pairs = [(_rate(place, one), _rate(place, other)) for _ in range(place.rounds)]
    first, second = map(statistics.median, zip(*pairs, strict=True))
    return first, second


def _rate(place: Place, load: Load) -> float:
    url = data.postgresql(place.cluster, data.CLIENT, 1)
    with ExitStack() as stack:
        sockets = [stack.enter_context(_socket()) for _ in range(load.subscribers)]
        for deaf in sockets[load.refusing : load.dead]:
            deaf.listen()  # connections are made, and nobody ever reads from them
        _subscribe(url, [each.getsockname() for each in sockets])
        tell(url, [_notice() for _ in range(load.events)])
        return asyncio.run(_delivered(url, place, load, sockets[load.dead :]))


def _socket() -> socket.socket:
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def _subscribe(url: str, addresses: list[tuple[str, int]]):
    ids = range(1, len(addresses) + 1)
    urls = [f"http://{host}:{port}/events" for host, port in addresses]
    fields = {"client_id": 1, "event_type": "hangup", "method": "POST", "secret": signature.new_secret()}
    rows = [{"id": n, "client_id": 1, "url": each} for n, each in zip(ids, urls, strict=True)]
    look(
        url,
        insert(subscriber).values(rows),
        insert(subscription).values([{"subscriber_id": n, **fields} for n in ids]),
    )


def _notice() -> Notice:
    call, at = secrets.token_hex(16), time.time_ns() // 1000
    told = {"EventType": "hangup", "EventTime": str(at), "CallID": call.upper(), "CallStatus": "ANSWER"}
    told |= {"SubCallID": f"1-{call}", "CallerIDName": "Ann", "CallerIDNum": "1001", "CalledNumber": "1000"}
    of = {"client_id": 1, "extension_id": 1, "call_id": call, "seq": 6, "event_type": "hangup", "flow": "in"}
    return Notice(**of, at=at, parameters=told)


async def _delivered(url: str, place: Place, load: Load, sockets: list[socket.socket]) -> float:
    """Return how many events a second come, from the first one to the last."""
    loop, tally = asyncio.get_running_loop(), Tally(load.events * len(sockets))
    async with AsyncExitStack() as stack:
        for n, each in enumerate(sockets):
            server = await loop.create_server(lambda n=n: Alive(n, tally), sock=each)
            await stack.enter_async_context(server)
        with delivering(url, place.folder, events_seconds=str(SECONDS)):
            await asyncio.wait_for(tally.over.wait(), LONGEST_SECONDS)
            return tally.wanted / (time.perf_counter() - tally.begun)
