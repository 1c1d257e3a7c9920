"""The outermost layer: request id, where it comes from, one log line, metrics."""

import asyncio
import re
import time
from contextlib import suppress
from functools import lru_cache
from typing import Any

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from prometheus_client import Counter, Histogram

from peal.http.errors import new_request_id
from peal.http.source import Source
from peal.kit.logs import Access, log_access, now

REQUESTS = Counter("peal_http_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("peal_http_request_seconds", "Time to the end of the answer", ["route"])

DRAIN_BYTES = 16 * 1024 * 1024
DRAIN_SECONDS = 5

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Envelope:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, source: Source) -> None:
        self._app = app
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        state = scope.setdefault("state", {})
        state["request_id"] = _request_id(scope)
        state["address"] = self._source.of(scope)
        status, method = 0, scope["method"]
        if method == "HEAD":  # the server leaves the body out
            scope["method"] = HttpMethod.GET

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400:
                    await body.drain()
                extra = {"X-Request-Id": state["request_id"], **state.get("headers", {})}
                message["headers"] = [*message["headers"], *_encoded(extra)]
            await send(message)

        body = _Body(receive)

        try:
            await self._app(scope, body.receive, send_with_headers)
        finally:
            _record(scope, method, status, time.perf_counter() - started)


class _Body:
    """The body as the server gives it, and whether the application has read it to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def receive(self) -> Any:
        """Return the next message."""
        message = await self._receive()
        self._ended = not message.get("more_body")
        return message

    async def drain(self) -> None:
        """Read what a refusal has left, within bounds: a client that still sends would miss the answer."""
        left = DRAIN_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended and left > 0:
                    left -= len((await self.receive()).get("body", b""))


def _request_id(scope: Any) -> str:
    for name, value in scope["headers"]:
        if name.lower() == b"x-request-id" and _ID.fullmatch(value):
            return str(value.decode())
    return new_request_id()


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _record(scope: Any, method: str, status: int, seconds: float) -> None:
    count, histogram = _series(method, scope.get("path_template") or "other", status)
    count.inc()
    histogram.observe(seconds)
    user = scope.get("user")
    log_access(
        Access(
            timestamp=now(),
            request_id=scope["state"]["request_id"],
            method=method,
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 2),
            address=scope["state"]["address"],
            user=user.login if user else None,
        )
    )


@lru_cache(maxsize=2000)
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(method, route, status), SECONDS.labels(route)
