"""Networks with NAT between the tests' own namespace, where the switch is, and another with phones."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass


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
    name = secrets.token_hex(3)
    router, home = f"nat-{name}", f"home-{name}"
    net = f"198.18.{secrets.randbelow(256)}.{4 * secrets.randbelow(64)}".rpartition(".")
    switch, seen = (f"{net[0]}.{int(net[2]) + n}" for n in (1, 2))
    with ExitStack() as stack:
        for namespace in (router, home):
            run(f"ip netns add {namespace}")
            stack.callback(run, f"ip netns del {namespace}")
        run(f"ip link add wan-{name} type veth peer name wan netns {router}")
        run(f"ip addr add {switch}/30 dev wan-{name}")
        run(f"ip link set wan-{name} up")
        run(f"ip -n {router} addr add {seen}/30 dev wan")
        run(f"ip -n {router} link set wan up")
        run(f"ip -n {router} link add lan type veth peer name eth0 netns {home}")
        run(f"ip -n {router} addr add 10.77.0.1/24 dev lan")
        run(f"ip -n {router} link set lan up")
        run(f"ip -n {home} addr add 10.77.0.2/24 dev eth0")
        run(f"ip -n {home} link set eth0 up")
        run(f"ip -n {home} route add default via 10.77.0.1")
        run(f"ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1")
        run(f"ip netns exec {router} iptables -t nat -A POSTROUTING -o wan -j MASQUERADE --random")
        yield Behind(home, "10.77.0.2", seen, switch)


@dataclass(frozen=True)
class Before:
    """A switch behind NAT, and phones in the world before it."""

    namespace: str
    "Of the phones."
    phones: tuple[str, str]
    "Their addresses."
    switch: str
    "Its own address: unknown to the world, which has no way to it."
    public: str
    "What the world has instead."


@contextmanager
def fronted() -> Iterator[Before]:
    """Make it; gone at the end. One address of the router's is the switch's alone, in both directions."""
    name = secrets.token_hex(3)
    router, world = f"front-{name}", f"world-{name}"
    inside, outside = (f"198.19.{secrets.randbelow(128) + n}" for n in (0, 128))
    with ExitStack() as stack:
        for namespace in (router, world):
            run(f"ip netns add {namespace}")
            stack.callback(run, f"ip netns del {namespace}")
        run(f"ip link add in-{name} type veth peer name in netns {router}")
        run(f"ip addr add {inside}.2/24 dev in-{name}")
        run(f"ip link set in-{name} up")
        run(f"ip -n {router} addr add {inside}.1/24 dev in")
        run(f"ip -n {router} link set in up")
        run(f"ip route add {outside}.0/24 via {inside}.1 src {inside}.2")
        run(f"ip -n {router} link add out type veth peer name eth0 netns {world}")
        run(f"ip -n {router} addr add {outside}.1/24 dev out")
        run(f"ip -n {router} link set out up")
        for each in (2, 3):
            run(f"ip -n {world} addr add {outside}.{each}/24 dev eth0")
        run(f"ip -n {world} link set eth0 up")
        run(f"ip netns exec {router} sysctl -qw net.ipv4.ip_forward=1")
        nat_table = f"ip netns exec {router} iptables -t nat -A"
        run(f"{nat_table} PREROUTING -d {outside}.1 -j DNAT --to-destination {inside}.2")
        run(f"{nat_table} POSTROUTING -s {inside}.2 -j SNAT --to-source {outside}.1")
        yield Before(world, (f"{outside}.2", f"{outside}.3"), f"{inside}.2", f"{outside}.1")


def run(command: str) -> None:
    done = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
