"""Where events may be sent: to public addresses, and to those that the settings allow beside."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

_NAT64 = ip_network("64:ff9b::/96")


class Refused(Exception):
    """A target that events are not sent to; the text says why."""


def check_url(url: str, allowed: Networks) -> None:
    """Check what can be seen of a URL without asking for its host's addresses.

    Raises:
        Refused: it is no URL of a server, or that of an address that events are not sent to.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Refused(str(error)) from error
    if parts.scheme not in ("http", "https") or not host:
        raise Refused("must be http://... or https://...")
    if parts.username is not None:
        raise Refused("must not hold a user or password; what must be secret is the signature's")
    if parts.fragment:
        raise Refused("must not hold a fragment")
    try:
        address = ip_address(host)
    except ValueError:
        return  # a name: its addresses are looked at whenever something is sent
    check_addresses([address], allowed)


def check_addresses(addresses: Iterable[Address], allowed: Networks) -> None:
    """Check where a host's name leads: not one of its addresses may lie inside.

    Raises:
        Refused: naming the address.
    """
    for address in addresses:
        if not any(address in network for network in allowed) and not _is_public(address):
            raise Refused(f"{address} is not a public address")


def _is_public(address: Address) -> bool:
    """Return whether it is one of the Internet; what carries an IPv4 address goes where that leads."""
    inner = _carried(address) if isinstance(address, IPv6Address) else None
    if inner is not None:
        return _is_public(inner)
    return address.is_global and not address.is_multicast


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
