"""Connections to subscribers, kept for a while for what is sent next."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore

KEEP_SECONDS = 15.0
"""How long one is kept that nothing is sent over."""


class Connections:
    """Those of a sender, by the URL of the subscriber.

    Not a pool of httpcore's: that looks at all its connections for each request.
    """

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network
        self._kept: defaultdict[str, list[httpcore.AsyncHTTPConnection]] = defaultdict(list)
        self._look_at = 0.0

    @asynccontextmanager
    async def to(self, url: str, origin: httpcore.Origin) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """Lend a connection for one request; it is kept if it is good for another one."""
        await self._close_old()
        connection = await self._take(url) or httpcore.AsyncHTTPConnection(
            origin, keepalive_expiry=KEEP_SECONDS, network_backend=self._network
        )
        try:
            yield connection
        finally:
            if connection.is_available():
                self._kept[url].append(connection)
            else:
                await connection.aclose()

    async def aclose(self) -> None:
        """Close those that are kept."""
        for connections in self._kept.values():
            for connection in connections:
                await connection.aclose()

    async def _take(self, url: str) -> httpcore.AsyncHTTPConnection | None:
        """Return the one that was used last, if the subscriber has not closed it meanwhile."""
        while kept := self._kept[url]:
            connection = kept.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _close_old(self) -> None:
        """Look now and then for those that nothing is sent over any more."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + KEEP_SECONDS
        kept, self._kept = self._kept, defaultdict(list)
        for url, connections in kept.items():
            for each in connections:
                if each.has_expired():
                    await each.aclose()
                else:
                    self._kept[url].append(each)
