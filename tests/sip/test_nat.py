"""Phones behind NAT: registered, called and heard where they really are."""

from contextlib import ExitStack

import pytest
from sip.audio import audio, converse
from sip.exchange import Office, exchanging
from sip.message import response
from sip.nat import nat


@pytest.fixture(scope="module")
def behind():
    with nat() as made:
        yield made


@pytest.fixture(scope="module")
def own(behind):
    settings = {"PEAL_SIP_HOST": f"127.0.0.1,{behind.switch}", "PEAL_NAT_SECONDS": "1"}
    with exchanging(**settings) as running:
        yield running


@pytest.fixture
def office(own):
    with ExitStack() as stack:
        yield Office(own, stack)


def at_home(office, behind, number, transport="udp"):
    """A phone behind the NAT."""
    where = {"bind": behind.phone, "namespace": behind.namespace, "transport": transport}
    port = office.exchange.address(transport)[1]
    return office.phone(number, proxy=(behind.switch, port), **where)


def talk(caller, number, callee):
    call = caller.invite(number)
    leg = callee.expect_invite()
    leg.ring()
    call.wait(180)
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    return call, leg


# Break: register.cfg: without `fix_nated_register`.
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_phone_behind_nat_is_registered_with_the_address_that_the_world_sees(office, behind, transport):
    phone = at_home(office, behind, "101", transport)
    (seen,) = office.tenant.api.get("/extension/@101/registration/").json()["registrations"]
    assert seen["contact_address"] == phone.contact
    host, _, port = seen["real_address"].partition(":")
    assert host == behind.router
    assert int(port) != phone.transport.local[1]


# Break: media.cfg, NEED_RELAY: never.
@pytest.mark.parametrize("calls", ["from home", "to home"])
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_phone_behind_nat_calls_is_called_and_heard(office, behind, transport, calls):
    home, other = at_home(office, behind, "101", transport), office.phone("200")
    at, out = audio(office, home, behind.namespace), audio(office, other)
    caller, callee, number = (home, other, "200") if calls == "from home" else (other, home, "101")
    call, leg = talk(caller, number, callee)
    told = {caller: call.final().body, callee: leg.invite.body}
    converse(at, told[home], out, told[other])
    assert call.reinvite().status == 200
    assert leg.reinvite(hold=True).status == 200
    assert leg.reinvite().status == 200
    converse(at, told[home], out, told[other])
    assert call.info().status == 200
    assert not [message for message in other.received if behind.phone in message.body]
    ends, other_end = (leg, call) if transport == "udp" else (call, leg)
    assert ends.bye().status == 200
    assert other_end.wait_ended().method == "BYE"


def test_two_phones_behind_the_same_nat_talk(office, behind):
    phones = [at_home(office, behind, number) for number in ("101", "200")]
    one, other = (audio(office, phone, behind.namespace) for phone in phones)
    call, leg = talk(phones[0], "200", phones[1])
    converse(one, call.final().body, other, leg.invite.body)
    assert leg.bye().status == 200


# Break: modules.cfg: `natping_interval` 0.
def test_what_keeps_the_way_open_comes_through_the_nat(office, behind):
    phone = at_home(office, behind, "101")
    question = phone.wait_for(lambda message: message.method == "OPTIONS" and message.is_request)
    assert question.address("From").uri == "sip:keepalive@peal.invalid"


# Break: media.cfg, NEED_RELAY: always.
def test_of_a_bundle_only_the_phone_behind_nat_needs_the_relay(office, behind):
    home, near, caller = at_home(office, behind, "101"), office.phone("102"), office.phone("200")
    direct = f"c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {caller.media[1]} "
    call = caller.invite("100")
    far, leg = home.expect_invite(), near.expect_invite()
    assert direct in leg.invite.body
    assert f"c=IN IP4 {behind.switch}\r\n" in far.invite.body
    far.ring()
    leg.ring()
    caller.wait_for(response(180), times=2)
    leg.answer()
    assert call.final().status == 200
    assert f"m=audio {near.media[1]} " in call.final().body
    far.wait_cancelled()
    assert call.reinvite().status == 200
    assert f"m=audio {near.media[1]} " in caller.received[-1].body
    assert call.bye().status == 200
