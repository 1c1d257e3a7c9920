"""Networks that phones may come from, pure."""

import ipaddress
from collections.abc import Sequence


def canonical(networks: Sequence[str]) -> list[str]:
    """Return `networks` in CIDR notation; a bare address is a network of one.

    Raises:
        ValueError: naming the one that is no network, and why.
    """
    return [str(ipaddress.ip_network(text)) for text in networks]
