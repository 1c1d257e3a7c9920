"""Where events may be sent: to public addresses, and to those that the settings allow beside."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from peal.kit.targets import Address, class_of

Networks = Sequence[IPv4Network | IPv6Network]


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
        if not any(address in network for network in allowed) and class_of(address) != "public":
            raise Refused(f"{address} is not a public address")
