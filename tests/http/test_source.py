"""Where a request comes from: the socket, or what a trusted proxy says."""

import json
import secrets
from ipaddress import ip_network

import pytest
from parts import look, peal, serving, until
from sqlalchemy import select

from peal.audit.tables import audit
from peal.http.source import Source, group

PROXY = "10.0.0.1"
TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def source(*headers, peer=PROXY):
    """Return what is decided for a request of `peer` with such lines of headers, `Name: value`."""
    lines = [line.partition(": ") for line in headers]
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, _, value in lines]
    return Source(TRUSTED).of({"client": (peer, 4711), "headers": pairs})


X, F = "X-Forwarded-For: ", "Forwarded: "


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param([], PROXY, id="no header"),
        pytest.param([X + "192.0.2.1"], "192.0.2.1", id="one address"),
        pytest.param([X + "6.6.6.6, 192.0.2.1"], "192.0.2.1", id="what a stranger wrote before"),
        pytest.param([X + "6.6.6.6,192.0.2.1 ,10.9.9.9, fd00::1"], "192.0.2.1", id="proxies in a row"),
        pytest.param([X + "10.2.2.2, 10.9.9.9"], "10.2.2.2", id="only proxies"),
        pytest.param([X + "192.0.2.1:4711"], "192.0.2.1", id="IPv4 with a port"),
        pytest.param([X + "2001:db8::1"], "2001:db8::1", id="IPv6"),
        pytest.param([X + "2001:DB8:0:0::1"], "2001:db8::1", id="IPv6 in another spelling"),
        pytest.param([X + "[2001:db8::1]:4711"], "2001:db8::1", id="IPv6 with a port"),
        pytest.param([X + "::ffff:192.0.2.1"], "192.0.2.1", id="IPv4 in IPv6"),
        pytest.param([X + "6.6.6.6", X + "192.0.2.1", X + "10.0.0.7"], "192.0.2.1", id="several lines"),
        pytest.param([X + "192.0.2.1, , "], "192.0.2.1", id="empty elements"),
        pytest.param([X], PROXY, id="an empty header"),
        pytest.param([X, F + "for=192.0.2.1"], "192.0.2.1", id="an empty header and a full one"),
        pytest.param([X + "unknown"], PROXY, id="unknown"),
        pytest.param([X + "192.0.2.1, unknown, 10.0.0.7"], "10.0.0.7", id="unknown behind a proxy"),
        pytest.param([X + "192.0.2.1, \xff<script>"], PROXY, id="garbage"),
        pytest.param([X + "192.0.02.1"], PROXY, id="an octal address"),
        pytest.param([X + "fe80::1%eth0"], PROXY, id="an address with a zone"),
        pytest.param([F + "for=192.0.2.1"], "192.0.2.1", id="Forwarded"),
        pytest.param([F + 'For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17", id="RFC 7239: quoted IPv6"),
        pytest.param([F + "for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60", id="RFC 7239: by"),
        pytest.param([F + "for=6.6.6.6, for=198.51.100.17"], "198.51.100.17", id="RFC 7239: a list"),
        pytest.param([F + "for=6.6.6.6", F + "for=192.0.2.1, for=10.0.0.7"], "192.0.2.1", id="RFC: lines"),
        pytest.param([F + 'for="_gazonk"'], PROXY, id="RFC 7239: obfuscated"),
        pytest.param([F + "for=unknown"], PROXY, id="RFC 7239: unknown"),
        pytest.param([F + 'for="192.0.2.1:_port"'], "192.0.2.1", id="RFC 7239: obfuscated port"),
        pytest.param([F + "proto=https;for=192.0.2.1 ; host=x"], "192.0.2.1", id="spaces at semicolons"),
        pytest.param([F + r'for="192.0.\2.1"'], "192.0.2.1", id="quoted pairs"),
        pytest.param([F + 'for=192.0.2.1;by="a, for=6.6.6.6"'], "192.0.2.1", id="a comma in quotes"),
        pytest.param([F + 'for=6.6.6.6;x=", for=192.0.2.1'], "192.0.2.1", id="a stranger's open quote"),
        pytest.param([F + 'for=6.6.6.6;x=", for="[2001:db8::1]"'], "2001:db8::1", id="that meets another"),
        pytest.param([F + "for=192.0.2.1;for=6.6.6.6"], PROXY, id="two in one element"),
        pytest.param([F + "proto=https"], PROXY, id="an element that names nobody"),
        pytest.param([F + "for=192.0.2.1", X + "192.0.2.1"], "192.0.2.1", id="both headers agree"),
        pytest.param([F + "for=6.6.6.6", X + "192.0.2.1"], PROXY, id="a stranger's Forwarded"),
        pytest.param([F + "for=192.0.2.1", X + "6.6.6.6"], PROXY, id="a stranger's X-Forwarded-For"),
        pytest.param([F + "for=_hidden", X + "6.6.6.6"], PROXY, id="and the proxy hides who asks"),
        pytest.param([X + ",".join(["10.0.0.7"] * 100_000)], "10.0.0.7", id="no end of proxies"),
        pytest.param([F + 'a="' + "x," * 100_000], PROXY, id="no end of commas"),
    ],
)
def test_a_trusted_proxy_says_where_a_request_comes_from(headers, expected):
    assert source(*headers) == expected


@pytest.mark.parametrize("peer", ["192.0.2.9", "2001:db8::9"])
def test_nobody_else_is_asked(peer):
    for line in (X + "10.0.0.1", X + "6.6.6.6", F + "for=6.6.6.6"):
        assert source(line, peer=peer) == peer


def test_a_proxy_may_be_ipv4_in_ipv6():
    assert source(X + "192.0.2.1", peer=f"::ffff:{PROXY}") == "192.0.2.1"


def test_limits_count_an_ipv6_network_as_one():
    assert group("2001:db8::1") == group("2001:db8::ffff:1") != group("2001:db8:0:1::1")
    assert group("192.0.2.1") == "192.0.2.1" != group("192.0.2.2")


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    """A Peal that trusts proxies on this machine."""
    folder = tmp_path_factory.mktemp("behind")
    with serving(f"sqlite:///{folder / 'peal.db'}", folder, trusted_proxies="127.0.0.0/8, ::1") as running:
        yield running


def line_of(server, mark):
    found = until(lambda: [line for line in server.log.read_text().splitlines() if mark in line])
    return json.loads(found[0])


@pytest.mark.parametrize("line", [X + "6.6.6.6, 192.0.2.7", F + "for=6.6.6.6, for=192.0.2.7"])
def test_log_and_audit_name_the_address_that_the_proxy_names(behind, line):
    mark = secrets.token_hex(8)
    name, _, value = line.partition(": ")
    body = {"name": "N", "prefix": secrets.token_hex(4), "domain": "pbx.test"}
    behind.admin.post("/admin/client/", json=body, headers={name: value, "X-Request-Id": mark})
    assert line_of(behind, mark)["address"] == "192.0.2.7"
    ((row,),) = look(behind.database, select(audit).where(audit.c.request_id == mark))
    assert row["address"] == "192.0.2.7"


def test_without_the_setting_the_headers_say_nothing_and_the_log_says_so_once(tmp_path):
    with serving(f"sqlite:///{tmp_path / 'peal.db'}", tmp_path) as server:
        for mark in (secrets.token_hex(8), secrets.token_hex(8)):
            server.web.get("/healthz", headers={"X-Forwarded-For": "6.6.6.6", "X-Request-Id": mark})
            assert line_of(server, mark)["address"] == "127.0.0.1"
        assert server.log.read_text().count("proxy_not_trusted") == 1


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("10.0.0.1/8", "trusted_proxies: 10.0.0.1/8 has host bits set; networks by commas, like 10.0.0.0/8"),
        ("proxy.example", "trusted_proxies: 'proxy.example' does not appear to be an IPv4 or IPv6 network"),
        ("::/0", "trusted_proxies: a network of all addresses would let everybody be anybody"),
    ],
)
def test_a_setting_that_is_wrong_is_named(tmp_path, value, told):
    done = peal(
        f"sqlite:///{tmp_path / 'p.db'}", "migrate", ok=False, settings={"PEAL_TRUSTED_PROXIES": value}
    )
    assert (done["code"], done["stderr"].startswith(f"peal: {told}")) == (1, True), done
