"""The relay: whose media goes through it, that it is heard both ways, and that its ports are free again."""

import os
import re
import secrets
import signal
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest
from parts import until
from sip.audio import audio, converse, whereto
from sip.exchange import Office, exchanging
from sip.message import response
from sip.story import stories, story

SIX = "::1"


def rtp_ports():
    """A range of its own, apart from what the kernel gives to others."""
    first = 10000 + 100 * secrets.randbelow(200)
    return f"{first}-{first + 99}"


def of_settings(**settings):
    return exchanging(PEAL_SIP_HOST=f"127.0.0.1,{SIX}", PEAL_RTP_PORTS=rtp_ports(), **settings)


@pytest.fixture(scope="module")
def own():
    with of_settings() as running:
        yield running


@pytest.fixture
def office(own):
    with ExitStack() as stack:
        yield Office(own, stack)


def used(exchange):
    """The ports that the relay holds at this moment."""
    first, last = map(int, exchange.settings["PEAL_RTP_PORTS"].split("-"))
    lines = [
        line for file in ("udp", "udp6") for line in Path(f"/proc/net/{file}").read_text().splitlines()[1:]
    ]
    ports = {int(line.split()[1].rpartition(":")[2], 16) for line in lines}
    return {port for port in ports if first <= port <= last}


def ports_of(phone, body):
    return whereto(body) == ("127.0.0.1", phone.media[1])


# Break: media.cfg, NEED_RELAY: the two lines of IPv6 left out; MEDIA_ENDS: without `rtpengine_delete`.
@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
@pytest.mark.parametrize(("from_", "to"), [("127.0.0.1", SIX), (SIX, "127.0.0.1")])
def test_phones_of_ipv4_and_ipv6_hear_each_other_until_one_hangs_up(office, from_, to, hangs_up):
    caller, callee = office.phone("101", bind=from_), office.phone("200", bind=to)
    one, other = audio(office, caller), audio(office, callee)
    call = caller.invite("200")
    leg = callee.expect_invite()
    leg.ring(183, sdp=None)
    early = call.wait(183)
    converse(one, early.body, other, leg.invite.body)
    leg.answer()
    answer = call.final()
    leg.wait_ack()
    assert whereto(leg.invite.body)[0] == to
    assert whereto(answer.body)[0] == from_
    for side in (call, leg):
        assert side.reinvite(hold=True).status == 200
        assert side.reinvite().status == 200
    converse(one, answer.body, other, leg.invite.body)
    first, second = (call, leg) if hangs_up == "caller" else (leg, call)
    assert first.bye().status == 200
    second.wait_ended()
    until(lambda: not used(office.exchange), 5)
    assert callee.leaks("101") == []
    assert not [each for each in callee.received + caller.received if re.search(r"\b101\b", each.body)]


# Break: media.cfg, MEDIA_ANSWERED: without WAYS for the late offer.
def test_an_offer_in_the_answer_is_relayed_too(office):
    caller, callee = office.phone("101"), office.phone("200", bind=SIX)
    one, other = audio(office, caller), audio(office, callee)
    call = caller.invite("200", sdp="")
    leg = callee.expect_invite()
    leg.answer()
    answer = call.final()
    ack = leg.wait_ack()
    assert whereto(answer.body)[0] == "127.0.0.1"
    assert whereto(ack.body)[0] == SIX
    converse(one, answer.body, other, ack.body)
    assert leg.bye().status == 200
    until(lambda: not used(office.exchange), 5)


# Break: media.cfg, MEDIA_ANSWERED: without `via-branch`.
def test_of_phones_that_ring_the_one_that_answers_is_heard_and_the_ports_of_all_are_free_after(office):
    caller, *phones = [office.phone("200"), *(office.phone(n, bind=SIX) for n in ("100", "101", "102"))]
    one, *others = [audio(office, phone) for phone in (caller, *phones)]
    call = caller.invite("100")
    legs = [phone.expect_invite() for phone in phones]
    for leg in legs:
        leg.ring(183, sdp=None)
    caller.wait_for(response(183), times=3)
    legs[1].answer()
    answer = call.final()
    legs[0].wait_cancelled()
    legs[2].wait_cancelled()
    converse(one, answer.body, others[1], legs[1].invite.body)
    assert call.bye().status == 200
    until(lambda: not used(office.exchange), 5)


# Break: events.cfg, dialog:failed: without MEDIA_ENDS.
@pytest.mark.parametrize("end", ["cancel", "decline", "nobody"])
def test_a_call_that_nobody_answers_leaves_no_port_behind(office, end):
    caller, callee = office.phone("200"), office.phone("101", bind=SIX)
    call = caller.invite("101")
    leg = callee.expect_invite()
    leg.ring()
    call.wait(180)
    assert used(office.exchange)
    if end == "cancel":
        call.cancel()
    if end == "decline":
        leg.decline()
    assert call.final().status == {"cancel": 487, "decline": 486, "nobody": 480}[end]
    until(lambda: not used(office.exchange), 5)


def test_phones_that_reach_each_other_have_their_media_to_themselves(office):
    caller, callee = office.phone("101"), office.phone("200")
    call = caller.invite("200")
    leg = callee.expect_invite()
    leg.answer()
    assert ports_of(caller, leg.invite.body)
    assert ports_of(callee, call.final().body)
    assert not used(office.exchange)
    assert call.bye().status == 200


@pytest.mark.parametrize(("setting", "relayed"), [("always", True), ("never", False)])
def test_the_setting_relays_all_or_none(setting, relayed):
    with of_settings(PEAL_RELAY_MEDIA=setting) as own, ExitStack() as stack:
        office = Office(own, stack)
        caller, callee = office.phone("101"), office.phone("200")
        call = caller.invite("200")
        leg = callee.expect_invite()
        leg.answer()
        assert ports_of(caller, leg.invite.body) is not relayed
        assert ports_of(callee, call.final().body) is not relayed
        assert bool(used(own)) is relayed
        assert call.bye().status == 200
        assert bool(relays(own)) is relayed


def relays(exchange):
    """The relays of an exchange."""
    mark = f"--listen-tcp-ng=127.0.0.1:{exchange.relay_port}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        found += [int(process.name)] if words[0].endswith(b"rtpengine") and mark in words else []
    return found


# Break: ring.cfg, LEG_BEGINS: without `drop`.
def test_without_the_relay_phones_that_need_it_do_not_ring_and_all_others_do(office):
    near, far, caller = office.phone("101"), office.phone("102", bind=SIX), office.phone("200")
    [relay] = relays(office.exchange)
    os.kill(relay, signal.SIGSTOP)  # worse than dead: it does not even refuse
    try:
        call = caller.invite("100")
        leg = near.expect_invite()
        leg.answer()
        assert call.final().status == 200
        assert call.bye().status == 200
        assert not far._legs
        assert story(office).legs == [("101", "200")]
        assert caller.invite("102").final().status == 503
        refused = next(each for each in stories(office, 2) if not each.all("answer"))
        assert refused.kinds == {"begin": 1, "hangup": 1}
        assert refused.one("hangup")["code"] == "503"
        assert not far._legs
        assert "alarm: no relay" in office.exchange.log.read_text()
    finally:
        os.kill(relay, signal.SIGKILL)
    until(lambda: relays(office.exchange) not in ([], [relay]), 5)
    far.on_call = lambda leg: leg.decline()
    until(lambda: caller.invite("102").final().status == 486, 5)


def test_a_relay_runs_as_a_user_of_its_own(own):
    until(lambda: relays(own), 5)
    [relay] = relays(own)
    assert Path(f"/proc/{relay}").owner() == ("rtpengine" if os.getuid() == 0 else Path("/proc/self").owner())


# Break: relay.py: `--listen-ng` for `--listen-tcp-ng`.
def test_the_relay_obeys_nothing_that_comes_over_udp(own):
    [relay] = until(lambda: relays(own), 5)
    assert udp_ports(relay) == set()


def udp_ports(process):
    """The UDP ports that a process holds."""
    held = {str(each.readlink()) for each in Path(f"/proc/{process}/fd").iterdir()}
    lines = [
        line.split()
        for file in ("udp", "udp6")
        for line in Path(f"/proc/{process}/net/{file}").read_text().splitlines()[1:]
    ]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if f"socket:[{line[9]}]" in held}


# Break: commands.py: without `umask`.
def test_only_the_switch_s_user_may_command_the_relay(own):
    file = own.folder / "switch" / "relay.sock"
    assert file.owner() == ("kamailio" if os.getuid() == 0 else Path("/proc/self").owner())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
