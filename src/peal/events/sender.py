"""One request to a subscriber: signed, bounded in time and size, to an address that was looked at."""

import asyncio
import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

import httpcore

from peal.events import signature, target
from peal.events.connections import Connections
from peal.events.model import Due, Outcome
from peal.events.target import Networks
from peal.kit import dates

ANSWER_BYTES = 65_536
"""What is read of an answer's body; it only keeps the connection good for the next request."""
ANSWER_SECONDS = 1.0
"""How long that may take."""
LOOKUPS = 64
"""Names that are looked up at a time: one whose server is silent holds up no other."""
_FAILURES = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
    OSError,
)


class Sender:
    """Sends; no redirect is followed, no proxy asked, no cookie kept."""

    def __init__(self, allowed: Networks, seconds: float) -> None:
        self._seconds = seconds
        self._network = CheckedNetwork(allowed)
        self._connections = Connections(self._network)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.aclose()
        self._network.close()

    async def send(self, url: str, one: Due) -> Outcome:
        """Send a delivery; whatever goes wrong is an outcome, too."""
        at, began = dates.now(), time.monotonic()
        status, error = None, None
        try:
            async with asyncio.timeout(self._seconds):
                status = await self._status(url, request(url, one, at))
        except TimeoutError:
            error = f"no answer within {self._seconds:g} s"
        except (*_FAILURES, target.Refused) as failure:
            error = str(failure) or type(failure).__name__
        return Outcome(at, round((time.monotonic() - began) * 1000), status, error)

    async def _status(self, url: str, sent: httpcore.Request) -> int:
        async with self._connections.to(url, sent.url.origin) as connection:
            answer = await connection.handle_async_request(sent)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await _read(answer)
            except (*_FAILURES, TimeoutError):
                pass  # the status is what counts; the connection is closed
            finally:
                await answer.aclose()
        return answer.status


def request(url: str, one: Due, at: datetime) -> httpcore.Request:
    """Return the request of a delivery: a signed form, in the body of a POST or the query of a GET."""
    form = urlencode(one.parameters)
    to = httpcore.URL(url)
    headers = {"Host": urlsplit(url).netloc, "User-Agent": "Peal"}
    if one.method == "GET":
        path, _, query = to.target.decode().partition("?")
        payload = f"{query}&{form}" if query else form
        to = httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=f"{path}?{payload}".encode())
        body = b""
    else:
        payload, body = form, form.encode()
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    timestamp = int(at.replace(tzinfo=UTC).timestamp())
    headers |= signature.headers(f"msg_{one.notice_id}", timestamp, payload.encode(), one.secrets)
    return httpcore.Request(one.method, to, headers=list(headers.items()), content=body)


async def _read(answer: httpcore.Response) -> None:
    """Read an answer's body, up to its bound."""
    size = 0
    async for part in answer.aiter_stream():
        size += len(part)
        if size > ANSWER_BYTES:
            return


class CheckedNetwork(httpcore.AnyIOBackend):
    """Connects to addresses that were looked at: a name that leads elsewhere next time leads nowhere."""

    def __init__(self, allowed: Networks) -> None:
        self._allowed = allowed
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="look-up")

    def close(self) -> None:
        """Let go of the threads; those that still wait for an answer are left to themselves."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the base class's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the host's addresses that takes it.

        Raises:
            Refused: one of them is not one to send to.
            httpcore.ConnectError: none takes it, or the name leads nowhere.
        """
        found = await self._addresses(host, port)
        target.check_addresses(map(ip_address, found), self._allowed)
        for address in found[:-1]:
            with suppress(httpcore.ConnectError):
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
        return await super().connect_tcp(found[-1], port, timeout, local_address, socket_options)

    async def _addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._lookups, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        return list(dict.fromkeys(str(each[4][0]) for each in found))
