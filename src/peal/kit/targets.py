"""Where traffic may go: webhooks, phones' Contacts and media, by the class of an address.

From IANA's registries of special-purpose addresses, IPv4 and IPv6. All that is in neither list is public.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Literal

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Class = Literal["never", "private", "public"]

NEVER: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8",  # this network, unspecified
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, with the metadata services of clouds
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/127",  # unspecified, loopback
        "fe80::/10",  # link-local
        "fec0::/10",  # site-local, deprecated
        "ff00::/8",  # multicast
    )
)
"""Where nothing is ever sent because somebody else said so."""
PRIVATE: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # behind carrier NAT
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "100::/64",  # discarded
        "2001::/23",  # protocol assignments, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local
    )
)
"""Reached from inside only: allowed where a setting, or the sender's own address, says so."""
CARRYING: tuple[IPv6Network, ...] = tuple(
    IPv6Network(each)
    for each in (
        "::/96",  # IPv4-compatible, deprecated
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
    )
)
"""IPv6 forms of IPv4 addresses: each goes where the address that it carries leads."""


def class_of(address: Address) -> Class:
    """Return the class of an address."""
    if any(address in network for network in NEVER):
        return "never"
    if isinstance(address, IPv6Address) and any(address in network for network in CARRYING):
        carried = _carried(address)
        return "never" if carried is None else class_of(carried)
    return "private" if any(address in network for network in PRIVATE) else "public"


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in IPv6Network("64:ff9b:1::/48"):
        return None  # where in it the IPv4 address stands is that network's own choice
    teredo = address.teredo
    return address.sixtofour or (teredo[1] if teredo else IPv4Address(int(address) & 0xFFFFFFFF))
