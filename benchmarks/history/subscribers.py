"""Delivery to many subscribers: what a few that are dead cost those that are alive."""

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
SECONDS = 10
"""How long a subscriber may take: as it is by default."""
LONGEST_SECONDS = 300


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
    pairs = [(_rate(place, 0, 0), _rate(place, SILENT, REFUSING)) for _ in range(place.rounds)]
    alone, beside = map(statistics.median, zip(*pairs, strict=True))
    living = SUBSCRIBERS - SILENT - REFUSING
    return [
        Row(f"events sent a second to {SUBSCRIBERS} subscribers, all alive", f"{alone:.0f}"),
        Row(f"the same to {living} alive, beside {SILENT} silent and {REFUSING} refusing", f"{beside:.0f}"),
        Row("rate for the living, beside dead ones / all alive", f"{beside / alone:.2f}", "0.95"),
    ]


def _rate(place: Place, silent: int, refusing: int) -> float:
    url = data.postgresql(place.cluster, data.CLIENT, 1)
    with ExitStack() as stack:
        sockets = [stack.enter_context(_socket()) for _ in range(SUBSCRIBERS)]
        for deaf in sockets[refusing : refusing + silent]:
            deaf.listen()  # connections are made, and nobody ever reads from them
        _subscribe(url, [each.getsockname() for each in sockets])
        tell(url, [_notice() for _ in range(EVENTS)])
        return asyncio.run(_delivered(url, place, sockets[refusing + silent :]))


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


async def _delivered(url: str, place: Place, sockets: list[socket.socket]) -> float:
    """Return how many events a second come, from the first one to the last."""
    loop, tally = asyncio.get_running_loop(), Tally(EVENTS * len(sockets))
    async with AsyncExitStack() as stack:
        for n, each in enumerate(sockets):
            server = await loop.create_server(lambda n=n: Alive(n, tally), sock=each)
            await stack.enter_async_context(server)
        with delivering(url, place.folder, events_seconds=str(SECONDS)):
            await asyncio.wait_for(tally.over.wait(), LONGEST_SECONDS)
            return tally.wanted / (time.perf_counter() - tally.begun)
