"""UDP, TCP and TLS, over IPv4 and IPv6: phones are connected whichever of them they speak."""

import stat
import subprocess
import tempfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from parts import PEAL
from sip.exchange import Office, exchanging
from sip.phone import Phone
from sip.story import story
from sip.test_networks import networks
from sip.test_phone import certificate

FOUR, SIX = "127.0.0.1", "::1"
WAYS = [(transport, bind) for transport in ("udp", "tcp", "tls") for bind in (FOUR, SIX)]


@pytest.fixture(scope="module")
def both():
    """An exchange that phones reach over IPv4 and IPv6."""
    with exchanging(PEAL_SIP_HOST=f"{FOUR}, {SIX}") as running:
        yield running


@pytest.fixture
def office(both):
    with ExitStack() as stack:
        yield Office(both, stack)


def speaking(office, number, way):
    transport, bind = way
    return office.phone(number, transport=transport, bind=bind)


def talk(office, caller, members, answers):
    """200 calls 100: all ring, this one answers, the others stop. Return the call and that leg."""
    call = caller.invite("100")
    legs = [phone.expect_invite() for phone in members]
    assert {(leg.caller.user, leg.caller.display) for leg in legs} == {("200", "Name 200")}
    for leg in legs:
        leg.ring()
    call.wait(180)
    leg = legs.pop(answers)
    leg.answer()
    answer = call.final()
    assert answer.status == 200
    assert (answer.asserted_identity.user, answer.asserted_identity.display) == ("100", "Name 100")
    for other in legs:
        assert "SIP;cause=200" in other.wait_cancelled().headers.get("Reason")
    leg.wait_ack()
    return call, leg


@pytest.mark.parametrize("hangs_up", ["caller", "callee"])
@pytest.mark.parametrize("way", [("udp", FOUR), ("tcp", FOUR), ("tls", FOUR), ("tls", SIX), ("udp", SIX)])
def test_a_call_rings_phones_of_all_transports_and_goes_on_with_the_one_that_answers(office, way, hangs_up):
    caller = speaking(office, "200", way)
    bind = SIX if way[1] == FOUR and hangs_up == "callee" else FOUR
    members = [
        speaking(office, number, (transport, bind))
        for number, transport in (("100", "udp"), ("101", "tcp"), ("102", "tls"))
    ]
    for answers, _ in enumerate(members):
        call, leg = talk(office, caller, members, answers)
        assert call.reinvite(hold=True).status == 200
        assert leg.reinvite().status == 200
        assert leg.info().status == 200
        first, other = (call, leg) if hangs_up == "caller" else (leg, call)
        assert first.bye().status == 200
        assert other.wait_ended().method == "BYE"
    assert caller.leaks("101") == caller.leaks("102") == []


@pytest.mark.parametrize(("one", "other"), list(pairwise([*WAYS, WAYS[0]])))
def test_phones_of_any_two_ways_talk_in_both_directions(office, one, other):
    phones = speaking(office, "200", one), speaking(office, "201", other)
    for caller, callee in (phones, phones[::-1]):
        call = caller.invite(callee.user.partition("*")[2])
        leg = callee.expect_invite()
        leg.answer()
        assert call.final().status == 200
        assert call.reinvite(hold=True).status == 200
        assert leg.update().status == 200
        assert leg.bye().status == 200
        assert call.wait_ended().method == "BYE"


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_phone_whose_connection_broke_is_called_again_once_it_has_registered(office, transport):
    phone, caller = speaking(office, "200", (transport, FOUR)), office.phone("201")
    phone.transport.drop()
    assert phone.register().status == 200
    call = caller.invite("200")
    leg = phone.expect_invite()
    leg.answer()
    assert call.final().status == 200
    assert leg.bye().status == 200
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("answer", "answered_by") == ("200",)


def test_a_call_does_not_wait_for_a_phone_whose_connection_is_gone(office):
    gone, phone, caller = speaking(office, "101", ("tls", FOUR)), office.phone("102"), office.phone("200")
    gone.transport.drop()
    call = caller.invite("100")
    phone.expect_invite().answer()
    assert call.final(timeout=1.5).status == 200
    assert call.bye().status == 200


def test_the_certificate_of_peals_own_making_is_there_at_the_first_start_and_stays(both):
    folder = both.folder / "switch"
    made = [(folder / f"self-signed.{kind}").read_bytes() for kind in ("pem", "key")]
    assert stat.S_IMODE((folder / "self-signed.key").stat().st_mode) == 0o600
    assert (folder / "self-signed.key").owner() == folder.owner()
    believes = {"transport": "tls", "ca": folder / "self-signed.pem"}
    with Phone("200", domain=FOUR, proxy=both.address("tls"), **believes) as phone:
        phone.settle()
    subprocess.run([PEAL, "switch", "check"], env=environment(both), check=True, capture_output=True)
    assert made == [(folder / f"self-signed.{kind}").read_bytes() for kind in ("pem", "key")]


# Break: rows.cfg, DROP_STRANGERS: the address with its brackets.
@pytest.mark.parametrize(("network", "stays"), [("::1/128", True), ("2001:db8::/32", False)])
def test_of_phones_over_ipv6_too_those_go_that_may_not_come_from_there_any_more(office, network, stays):
    phone, _ = office.phone("101", bind=SIX), office.phone("201")
    allowed = networks(office, network)
    office.put_phone("101", auth_type="both", sip_network_permission_id=allowed)
    office.put_extension("201", status="blocked")
    office.until_unregistered("201")  # what was changed before has been read
    assert office.registered("101") is stays
    assert phone.register().status == (200 if stays else 401)


def environment(exchange):
    """That of commands about an exchange."""
    return {"PATH": "/usr/bin:/bin", "PEAL_DATABASE_URL": exchange.api.database} | exchange.settings


def test_phones_are_shown_the_certificate_of_the_settings(tmp_path):
    chain, key = certificate(tmp_path)
    with (
        exchanging(PEAL_TLS_CERTIFICATE=str(chain), PEAL_TLS_KEY=str(key)) as own,
        ExitStack() as stack,
    ):
        Office(own, stack).phone("200", transport="tls", ca=chain)  # it checks the name, too


def one_without_the_other(folder):
    return certificate(folder)[0], ""


def no_such_file(folder):
    return certificate(folder)[0], folder / "nowhere.key"


def another_key(folder):
    other = folder / "other"
    other.mkdir()
    return certificate(folder)[0], certificate(other)[1]


def nonsense(folder):
    (folder / "nonsense").write_text("none")
    return folder / "nonsense", certificate(folder)[1]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (one_without_the_other, "tls_certificate, tls_key: both or neither"),
        (no_such_file, "tls_key: "),
        (another_key, "do not fit"),
        (nonsense, "do not fit"),
    ],
)
def test_a_certificate_that_can_not_be_shown_is_named_at_start(tmp_path, given, named):
    chain, key = given(tmp_path)
    with tempfile.TemporaryDirectory(prefix="peal-home-") as home:
        Path(home).chmod(0o711)
        settings = {"PEAL_HOME": home, "PEAL_TLS_CERTIFICATE": chain, "PEAL_TLS_KEY": key}
        assert named in refusal(settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "127.0.0.1,", ""])
def test_an_address_that_no_phone_can_be_told_is_named_at_start(tmp_path, host):
    assert "sip_host: " in refusal({"PEAL_HOME": tmp_path, "PEAL_SIP_HOST": host})


@pytest.mark.parametrize("public", ["0.0.0.0", "pbx.example", "2001:db8::1", "192.0.2.1,192.0.2.2"])
def test_public_addresses_that_do_not_go_with_those_behind_are_named_at_start(tmp_path, public):
    assert "sip_public: " in refusal({"PEAL_HOME": tmp_path, "PEAL_SIP_PUBLIC": public})


@pytest.mark.parametrize("ports", ["30000", "40000-30000", "80-90", "60000-70000", "many"])
def test_ports_for_media_that_are_no_range_are_named_at_start(tmp_path, ports):
    assert "rtp_ports: " in refusal({"PEAL_HOME": tmp_path, "PEAL_RTP_PORTS": ports})


def refusal(settings):
    """What `peal switch run` says when it does not start."""
    env = {"PATH": "/usr/bin:/bin"} | {name: str(value) for name, value in settings.items()}
    done = subprocess.run(
        [PEAL, "switch", "run"], env=env, capture_output=True, text=True, check=False, timeout=20
    )
    assert done.returncode != 0
    return done.stderr
