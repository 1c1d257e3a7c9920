"""Connections to the workers of a Peal that has several."""

import re

import httpx
from parts import NO_TLS, Server


def one_connection_per_worker(server: Server) -> list[httpx.Client]:
    """Return clients, each of one connection, each to another worker; they close with the server."""
    found: list[httpx.Client] = []
    for _ in range(200):
        fresh = httpx.Client(base_url=server.url, timeout=30, verify=NO_TLS)
        server.clients.append(fresh)
        if not any(_same_worker(fresh, known) for known in found):
            found.append(fresh)
        if len(found) == server.workers:
            return found
    raise AssertionError("a worker never answered")


def _same_worker(one: httpx.Client, other: httpx.Client) -> bool:
    before = _count(other)
    one.get("/healthz")
    return _count(other) > before


def _count(client: httpx.Client) -> float:
    text = client.get("/metrics").text
    found = re.search(r'^peal_http_requests_total{.*route="/healthz".*} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0
