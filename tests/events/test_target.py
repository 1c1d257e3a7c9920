"""Where events go: not inside, by whatever name."""

import asyncio
import socket
from ipaddress import ip_address, ip_network

import httpcore
import pytest
from events.exchange import delivering
from events.receiver import Receiver
from hypothesis import given
from hypothesis import strategies as st
from parts import until

from peal.events import target
from peal.events.sender import CheckedNetwork
from peal.events.target import Refused
from peal.kit.targets import class_of

INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:a00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]
OUTSIDE = ["93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"]


# Break: target.py, _is_public: without _carried, or without is_multicast.
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_refused(address):
    with pytest.raises(Refused, match="is not a public address"):
        target.check_addresses([ip_address(OUTSIDE[0]), ip_address(address)], [])


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_taken(address):
    target.check_addresses([ip_address(address)], [])


# Break: targets.py: without "198.18.0.0/15", or CARRYING without Teredo.
@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6), st.ip_addresses(network="2000::/3")))
def test_no_address_is_public_that_python_knows_as_inside(address):
    assert class_of(address) != "public" or address.is_global


def test_a_network_that_the_settings_name_is_taken_and_no_other():
    allowed = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]
    target.check_addresses([ip_address("10.1.2.3"), ip_address("fd00::1")], allowed)
    with pytest.raises(Refused):
        target.check_addresses([ip_address("192.168.0.1")], allowed)


URLS = {
    "ftp://crm.example/": "http",
    "http:///events": "http",
    "https://user:secret@crm.example/": "user or password",
    "https://crm.example/#top": "fragment",
    "http://crm.example:99999/": "port",
    "http://127.0.0.1:8080/": "not a public address",
    "http://[::1]/": "not a public address",
    "http://169.254.169.254/latest/": "not a public address",
    "https://exa mple/": "url",
    "nonsense": "url",
}


# Break: service.py, _check: returns at once.
@pytest.mark.parametrize("url", URLS)
def test_a_url_that_can_not_be_a_subscribers_is_a_400_that_names_it(tenant, url):
    body = {"url": url, "event_type": "hangup", "method": "POST"}
    answer = tenant.api.post("/client/@me/phone_events/", json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "url"
    assert URLS[url] in answer.json()["message"].lower()


def connect(name, port, answers, monkeypatch):
    """Connect by a name that leads to each of `answers` by turns; return how often it was asked."""
    asked = []

    def getaddrinfo(host, *_, **__):
        asked.append(host)
        addresses = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    async def run():
        network = CheckedNetwork([ip_network("127.0.0.2/32")])
        monkeypatch.setattr("peal.events.sender.socket.getaddrinfo", getaddrinfo)
        try:
            stream = await network.connect_tcp(name, port, timeout=5)
            await stream.aclose()
        finally:
            network.close()
            monkeypatch.undo()
        return asked

    return asyncio.run(run())


# Break: sender.py, connect_tcp: connects to `host`.
def test_a_name_that_changes_its_answer_is_connected_to_by_the_address_that_was_looked_at(monkeypatch):
    with Receiver(host="127.0.0.2") as crm:
        assert connect("rebind.test", crm.port, [["127.0.0.2"], ["127.0.0.1"]], monkeypatch) == [
            "rebind.test"
        ]


# Break: target.py, check_addresses: the first only.
def test_a_name_of_which_one_address_lies_inside_is_refused(monkeypatch):
    with Receiver(host="127.0.0.2") as crm, pytest.raises(Refused, match=r"127\.0\.0\.1 is not"):
        connect("both.test", crm.port, [["127.0.0.2", "127.0.0.1"]], monkeypatch)


def test_of_several_addresses_one_that_takes_it_is_found(monkeypatch):
    with Receiver(host="127.0.0.2") as crm:
        connect("two.test", crm.port, [["127.0.0.2", "127.0.0.2"]], monkeypatch)
        port = crm.port
    with pytest.raises(httpcore.ConnectError):
        connect("two.test", port, [["127.0.0.2", "127.0.0.2"]], monkeypatch)


# Break: sender.py, send: Refused is not caught.
def test_a_name_that_leads_inside_is_never_connected_to_and_the_log_says_why(calls, own_peal, tmp_path):
    with Receiver() as crm, delivering(own_peal.database, tmp_path, events_private_targets="127.0.0.9/32"):
        made = calls.subscribe(f"http://localhost:{crm.port}/")
        calls.tell(calls.notice())
        tried = until(lambda: calls.log(made)[0]["tries"])[0]
        assert crm.received == []
    assert tried["status"] is None
    assert "is not a public address" in tried["error"]
