"""Trunks, pure: what follows from what is said of one."""

import ipaddress
from typing import Any

from peal.phones.model import ha1

PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


def networks_of(host: str) -> list[str]:
    """Return where calls of a trunk come from if nothing else is said: its own address, of a name nothing."""
    try:
        return [str(ipaddress.ip_network(host))]
    except ValueError:
        return []


def credentials(login: str | None, realm: str | None, password: str) -> dict[str, Any]:
    """Return what is kept of a password: the hash that digest authentication needs, good in this realm."""
    return {"ha1_md5": ha1(str(login), str(realm), password)["ha1_md5"]}
