"""Where media may go: what a session description names is changed where nothing may be sent."""

import re
import socket
from contextlib import ExitStack

import pytest
from sip.exchange import Office, exchanging
from sip.test_changes import talk

FORBIDDEN = [
    "IN IP4 127.0.0.2",
    "IN IP4 169.254.169.254",
    "IN IP4 224.0.0.1",
    "IN IP4 255.255.255.255",
    "IN IP4 0.0.0.1",
    "IN IP4 0127.0.0.2",
    "IN IP4 2130706434",
    "IN IP4 0x7f000002",
    "IN IP4 127.2",
    "IN IP4 localhost",
    "IN IP4 media.example",
    "IN IP4 224.2.1.1/127",
    "IN IP4  127.0.0.2",
    "IN IP6 ::1",
    "IN IP6 ::",
    "IN IP6 fe80::1",
    "IN IP6 ff02::1",
    "IN IP6 ::ffff:127.0.0.2",
    "IN IP6 ::ffff:7f00:2",
    "IN IP6 64:ff9b::7f00:2",
    "IN IP6 2002:7f00:2::",
    "in ip4 127.0.0.2",
]
ALLOWED = [
    "IN IP4 127.0.0.1",
    "IN IP4 0.0.0.0",
    "IN IP4 93.184.216.34",
    "IN IP4 10.1.2.3",
    "IN IP6 2606:4700::1111",
]


@pytest.fixture(scope="module")
def unrelayed():
    """A switch without a relay: what is seen is what the switch itself has made of a description."""
    with exchanging(PEAL_RELAY_MEDIA="never") as running:
        yield running


@pytest.fixture
def office(unrelayed):
    with ExitStack() as stack:
        yield Office(unrelayed, stack)


def offer(place="IN IP4 127.0.0.1", port=40000, extra=()):
    lines = ["v=0", "o=x 1 1 IN IP4 127.0.0.1", "s=x", f"c={place}", "t=0 0", f"m=audio {port} RTP/AVP 8"]
    return "\r\n".join([*lines, *extra, "a=sendrecv", ""])


def places(body):
    return re.findall(r"(?m)^c=(.*?)\r?$", body)


# Break: request.cfg: without `route(TRUE_MEDIA)`; for the answer: in `reply_route`.
@pytest.mark.parametrize("place", FORBIDDEN)
def test_media_that_would_go_where_nothing_may_goes_to_the_sender(office, place):
    caller, callee = office.phones("101", "200")
    call = caller.invite("200", sdp=offer(place))
    leg = callee.expect_invite()
    assert places(leg.invite.body) == ["IN IP4 127.0.0.1"]
    leg.answer(sdp=offer(place))
    assert places(call.final().body) == ["IN IP4 127.0.0.1"]
    assert call.bye().status == 200


@pytest.mark.parametrize("place", ALLOWED)
def test_media_may_go_to_the_sender_to_public_places_and_inside_from_inside(office, place):
    caller, callee = office.phones("101", "200")
    call = caller.invite("200", sdp=offer(place))
    leg = callee.expect_invite()
    assert places(leg.invite.body) == [place]
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


def test_each_stream_and_each_hint_is_looked_at(office):
    caller, callee = office.phones("101", "200")
    extra = [
        "c=IN IP4 169.254.1.1",
        "a=rtcp:40001 IN IP4 169.254.1.1",
        "a=candidate:1 1 UDP 1 127.0.0.2 5000 typ host",
        "a=candidate:2 1 UDP 1 93.184.216.34 5000 typ host",
        "a=rtcp:40001",
        "m=video 40002 RTP/AVP 99",
        "C=IN IP4 127.0.0.2",
    ]
    call = caller.invite("200", sdp=offer(extra=extra))
    leg = callee.expect_invite()
    lines = leg.invite.body.split("\r\n")
    assert places(leg.invite.body) == ["IN IP4 127.0.0.1"] * 3
    assert [line for line in lines if line.startswith(("a=rtcp", "a=cand"))] == [
        "a=candidate:2 1 UDP 1 93.184.216.34 5000 typ host",
        "a=rtcp:40001",
    ]
    assert [line for line in lines if "=video" in line] == ["m=video 40002 RTP/AVP 99"]
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


def own_ports(exchange):
    return [exchange.port, exchange.tls_port, exchange.control, exchange.relay_port]


# Break: targets.cfg, TRUE_PORT: `return` at its begin.
def test_a_port_of_the_switch_s_own_is_no_place_for_media_even_on_loopback(office):
    caller, callee = office.phones("101", "200")
    for port in own_ports(office.exchange):
        for named in (port, port - 1, f"0{port}", f"{port}/2"):
            call = caller.invite("200", sdp=offer(port=named, extra=[f"a=rtcp:{port}"]))
            leg = callee.expect_invite()
            heard = leg.invite.body
            leg.answer()
            assert call.final().status == 200
            assert ("m=audio 9 RTP/AVP 8" in heard, "a=rtcp" in heard) == (True, False)
            assert call.bye().status == 200


def test_what_is_offered_later_in_a_call_is_looked_at_too(office):
    caller, callee = office.phones("101", "200")
    call, leg = talk(caller, "200", callee)
    for end, other in ((call, callee), (leg, caller)):
        before = len(other.received)
        assert end.reinvite(sdp=offer("IN IP4 169.254.169.254")).status == 200
        [asked] = [
            m
            for m in list(other.received)[before:]
            if m.is_request and m.method == "INVITE" and not m.duplicate
        ]
        assert places(asked.body) == ["IN IP4 127.0.0.1"]
    assert call.bye().status == 200


def test_a_description_within_a_multipart_body_is_found(office):
    caller, callee = office.phones("101", "200")
    parts = ["--cut", "Content-Type: application/sdp", "", offer("IN IP4 169.254.169.254") + "--cut"]
    parts += ["Content-Type: application/pidf+xml", "", '<presence entity="x"/>', "--cut--", ""]
    headers = {"Content-Type": 'multipart/mixed;boundary="cut"'}
    call = caller.invite("200", sdp="\r\n".join(parts), headers=headers)
    leg = callee.expect_invite()
    assert places(leg.invite.body) == ["IN IP4 127.0.0.1"]
    assert '<presence entity="x"/>\r\n--cut--' in leg.invite.body
    assert leg.invite.headers["Content-Type"].startswith("multipart/mixed")
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: targets.cfg, TRUE_MEDIA: without the look for a CR.
def test_a_description_with_a_line_that_only_some_phones_see_is_refused(office):
    caller = office.phone("101")
    hidden = offer().replace("s=x", "s=x\rc=IN IP4 169.254.169.254")
    assert caller.invite("200", sdp=hidden).final().status == 488


def test_a_description_of_endless_lines_is_refused(office):
    caller = office.phone("101")
    call = caller.invite("200", sdp=offer(extra=["a=x:1"] * 1200))
    assert call.final().status == 488


# Break: request.cfg: `reply_route` without `route(TRUE_MEDIA)`.
def test_the_relay_sends_nothing_to_a_forbidden_place():
    with exchanging(PEAL_RELAY_MEDIA="always") as own, ExitStack() as stack:
        office = Office(own, stack)
        caller, callee = office.phones("101", "200")
        mouth, ear = (stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2))
        victim = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        mouth.bind(("127.0.0.1", 0))
        ear.bind(("127.0.0.1", 0))
        victim.bind(("127.0.0.2", ear.getsockname()[1]))
        call = caller.invite("200", sdp=offer(port=mouth.getsockname()[1]))
        callee.expect_invite().answer(sdp=offer("IN IP4 127.0.0.2", ear.getsockname()[1]))
        relay = int(re.search("m=audio ([0-9]+)", call.final().body)[1])
        ear.settimeout(5)
        mouth.sendto(b"\x80\x08\x00\x01" + bytes(8) + b"d7:command4:liste", ("127.0.0.1", relay))
        assert b"command" in ear.recv(1000)
        victim.setblocking(False)
        with pytest.raises(BlockingIOError):
            victim.recv(1000)
        assert call.bye().status == 200
