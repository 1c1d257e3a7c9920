"""Networks with NAT between the tests' own namespace, where the switch is, and another with phones."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import ip_network


@dataclass(frozen=True)
class Behind:
    """Where phones are, and what the world sees of them."""

    namespace: str
    phone: str
    "Their own address."
    router: str
    "The address that the world sees."
    switch: str
    "The address of the switch, in the tests' own namespace."


@contextmanager
def nat() -> Iterator[Behind]:
    """Make it; gone at the end. Source ports change on the way; nothing comes in that was not asked for."""
    near, far = hosts("198.18.0.0/16", 30), hosts("10.77.0.0/29", 29)
    with routed(near, far) as (router, home):
        run(f"ip -n {home} route add default via {far[0]}")
        run(f"ip netns exec {router} iptables -t nat -A POSTROUTING -o near -j MASQUERADE --random")
        yield Behind(home, far[1], near[1], near[0])


@dataclass(frozen=True)
class Before:
    """A switch behind NAT, and phones in the world before it."""

    namespace: str
    "Of the phones."
    phones: tuple[str, str]
    "Their addresses."
    switch: str
    "Its own address: unknown to the world, which has no way to it; it has none to the public one."
    public: str
    "What the world has instead."


@contextmanager
def fronted() -> Iterator[Before]:
    """Make it; gone at the end. One address of the router's is the switch's alone, in both directions."""
    near, far = hosts("198.19.0.0/17", 30), hosts("198.19.128.0/17", 29)
    with routed(near, far) as (router, world):
        for phone in far[1:3]:
            run(f"ip route add {phone} via {near[1]} src {near[0]}")
        table = f"ip netns exec {router} iptables -t nat -A"
        run(f"{table} PREROUTING -d {far[0]} -j DNAT --to-destination {near[0]}")
        run(f"{table} POSTROUTING -s {near[0]} -j SNAT --to-source {far[0]}")
        yield Before(world, (far[1], far[2]), near[0], far[0])


@contextmanager
def routed(near: list[str], far: list[str]) -> Iterator[tuple[str, str]]:
    """Make a router and a namespace beyond it; return the names of both.

    `near`: the addresses of the switch and of the router, in a /30; `far`: of the router and of phones, in
    a /29.
    """
    name = secrets.token_hex(3)
    router, beyond = f"router-{name}", f"beyond-{name}"
    with ExitStack() as stack:
        for namespace in (router, beyond):
            run(f"ip netns add {namespace}")
            stack.callback(run, f"ip netns del {namespace}")
        run(f"ip link add near-{name} type veth peer name near netns {router}")
        run(f"ip addr add {near[0]}/30 dev near-{name}")
        run(f"ip link set near-{name} up")
        run(f"ip -n {router} link add far type veth peer name eth0 netns {beyond}")
        places = [(router, "near", f"{near[1]}/30"), (router, "far", f"{far[0]}/29")]
        places += [(beyond, "eth0", f"{phone}/29") for phone in far[1:3]]
        for namespace, device, address in places:
            run(f"ip -n {namespace} addr add {address} dev {device}")
            run(f"ip -n {namespace} link set {device} up")
        run(f"ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1")
        yield router, beyond


def hosts(within: str, prefix: int) -> list[str]:
    """The addresses of one network in a larger one, which another run of the tests is not likely to have."""
    larger = ip_network(within)
    number = secrets.randbelow(2 ** (prefix - larger.prefixlen))
    first = int(larger.network_address) + (number << (32 - prefix))
    return [str(each) for each in ip_network((first, prefix)).hosts()]


def run(command: str) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
