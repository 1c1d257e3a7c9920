"""A subscriber: a real HTTP server that keeps what it is sent, and behaves as badly as a test wants."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from standardwebhooks import Webhook

Behaviour = Callable[["Received", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Received:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: str
    at: float = field(default_factory=time.time)

    @property
    def fields(self) -> dict[str, str]:
        form = self.body if self.method == "POST" else self.query
        return dict(parse_qsl(form, keep_blank_values=True, strict_parsing=True))

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str):
        """By the library that integrators use; of a GET the query is signed."""
        payload = self.body if self.method == "POST" else self.query
        Webhook(secret).verify(payload, self.headers, json_parse=False)


def answering(status: int, headers: str = "", body: bytes = b"") -> Behaviour:
    async def behave(_: Received, writer: asyncio.StreamWriter):
        head = f"HTTP/1.1 {status} So\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return behave


async def silent(_: Received, writer: asyncio.StreamWriter):
    """Never answers."""
    await asyncio.sleep(3600)


def dripping(head: bytes, seconds: float) -> Behaviour:
    """Sends byte by byte, for ever."""

    async def behave(_: Received, writer: asyncio.StreamWriter):
        writer.write(head)
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(seconds)

    return behave


async def huge(_: Received, writer: asyncio.StreamWriter):
    """Answers 200, with a body that does not end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        await writer.drain()


OK = answering(200)


class Receiver:
    """A subscriber on a free port; `behave` is asked anew for each request."""

    def __init__(self, behave: Behaviour = OK, host: str = "127.0.0.1"):
        self.behave, self.host = behave, host
        self.received: list[Received] = []
        self._came = threading.Condition()
        self._connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self):
        self._thread.start()
        self.server = self._do(asyncio.start_server(self._take, self.host, 0))
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/events"

    @property
    def connections(self) -> int:
        """How many were made."""
        return len(self._connections)

    def wait(self, count: int, seconds: float = 10) -> list[Received]:
        """What came, when it is so much."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.received) >= count, seconds), self.received
            return list(self.received)

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _stop(self):
        while accepting := asyncio.all_tasks() - {asyncio.current_task(), *self._connections.values()}:
            await asyncio.gather(*accepting)  # each ends in `_take`
        self.server.close()
        for writer, task in self._connections.items():
            task.cancel()
            writer.close()  # also of one whose task has not begun
        await asyncio.gather(*self._connections.values(), return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._connections[writer] = asyncio.ensure_future(self._serve(reader, writer))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request = await _read(head.decode(), reader)
                with self._came:
                    self.received.append(request)
                    self._came.notify_all()
                await self.behave(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _read(head: str, reader: asyncio.StreamReader) -> Received:
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    parts = urlsplit(target)
    return Received(method, parts.path, parts.query, headers, body.decode())
