"""Where a request comes from: the one place that decides it, for limits, logs and audit.

It is the other end of the connection, unless that is a trusted proxy: then it is the last address that the
proxies name and that is no trusted proxy itself. What stands to its left anybody may have written.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import structlog

log = structlog.get_logger()

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]
Headers = Iterable[tuple[bytes, bytes]]

UNKNOWN = "unknown"
"""Of a connection that has no address."""
LONGEST = 32
"""Proxies in a row, and commas in one proxy's element, that are looked at."""
LONGEST_TEXT = 4096
"""Characters of a line of a header that are looked at: the last ones."""

_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^\s",;]*)'
_PAIR = re.compile(rf"\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)=({_VALUE})\s*")
_ELEMENT = re.compile(rf"{_PAIR.pattern}(?:;(?:{_PAIR.pattern})?)*")
_QUOTED = re.compile(r"\\(.)")
_BRACKETED = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[\w.-]+)?")
_WITH_PORT = re.compile(r"([0-9.]+):[\w.-]+")


class Source:
    """Decides where requests come from."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted
        self._warned: set[str] = set()

    def of(self, scope: Any) -> str:
        """Return the address that an HTTP request (an ASGI scope) comes from."""
        peer = scope["client"][0] if scope.get("client") else UNKNOWN
        found = parse(peer)
        if found is None:
            return str(peer)
        if not _within(found, self._trusted):
            if _came_through_a_proxy(scope["headers"]):
                self._warn(
                    "proxy_not_trusted", found, "trusted_proxies does not name who forwarded a request"
                )
            return str(found)
        return str(self._named(found, scope["headers"]))

    def _named(self, peer: Address, headers: Headers) -> Address:
        """Return whom the proxies name; where their two headers do not agree, nobody but `peer` is believed.

        A proxy that writes one of them lets the other pass as a stranger wrote it.
        """
        named = (_x_forwarded_for(headers), _forwarded(headers))
        found = {self._last_untrusted(peer, hops) for hops in named} - {None}
        if len(found) == 1:
            return found.pop() or peer
        if found:
            self._warn("proxies_disagree", peer, "Forwarded and X-Forwarded-For name different addresses")
        return peer

    def _last_untrusted(self, peer: Address, hops: Iterator[Address | None]) -> Address | None:
        """Go from proxy to proxy, the nearest first, to the last that is known; None: no hop is named."""
        last = None
        for _, hop in zip(range(LONGEST), hops, strict=False):
            last = hop or last or peer
            if hop is None or not _within(hop, self._trusted):
                break
        return last

    def _warn(self, event: str, peer: Address, hint: str) -> None:
        """Log it once: strangers may send as many as they like."""
        if event not in self._warned:
            self._warned.add(event)
            log.warning(event, address=str(peer), hint=hint)


def _came_through_a_proxy(headers: Headers) -> bool:
    """Return whether a request says that somebody has forwarded it."""
    return any(name in (b"forwarded", b"x-forwarded-for") for name, _ in headers)


def parse(text: str) -> Address | None:
    """Return an address; an IPv4 one that is written as IPv6 is IPv4. None: it is none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.scope_id is not None:
            return None
        return found.ipv4_mapped or found
    return found


def group(address: str) -> str:
    """Return whose address it is, as far as limits are concerned: of IPv6 a site's whole network, /64."""
    found = parse(address)
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address


def _within(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _lines(headers: Headers, name: bytes) -> list[str]:
    """Return the lines of a header, the last first."""
    return [value[-LONGEST_TEXT:].decode("latin-1") for key, value in headers if key == name][::-1]


def _x_forwarded_for(headers: Headers) -> Iterator[Address | None]:
    return (_host(hop) for line in _lines(headers, b"x-forwarded-for") for hop in _from_the_right(line))


def _from_the_right(line: str) -> Iterator[str]:
    while line:
        line, _, last = line.rpartition(",")
        if last.strip():
            yield last.strip()


def _forwarded(headers: Headers) -> Iterator[Address | None]:
    """Read RFC 7239 from the right, where each proxy adds: a stranger's open quote swallows nothing."""
    return (_for(element) for line in _lines(headers, b"forwarded") for element in _elements(line))


def _elements(line: str) -> Iterator[str]:
    """Split at commas from the right; a comma may stand in quotes. What is no element is all of the rest."""
    while line.strip():
        cut = len(line)
        for _ in range(LONGEST):
            cut = line.rfind(",", 0, cut)
            if cut < 0 or _ELEMENT.fullmatch(line, cut + 1):
                break
        last, line = line[cut + 1 :], line[: max(cut, 0)]
        if last.strip():
            yield last


def _for(element: str) -> Address | None:
    if not _ELEMENT.fullmatch(element):
        return None
    named = [value for name, value in _PAIR.findall(element) if name.lower() == "for"]
    if len(named) != 1:
        return None
    text = named[0]
    return _host(_QUOTED.sub(r"\1", text[1:-1]) if text.startswith('"') else text)


@lru_cache(maxsize=1000)
def _host(text: str) -> Address | None:
    """Return the address in `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`, if there is one."""
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    return parse(found[1] if found else text)
