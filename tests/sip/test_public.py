"""A switch behind NAT: phones are told of its public address only, and reach it there."""

from contextlib import ExitStack

import pytest
from parts import until
from sip.audio import audio, converse
from sip.exchange import Office, exchanging
from sip.lines import outside_of
from sip.live import current
from sip.nat import fronted
from sip.policy import follow_refer, leave
from sip.test_live_callback import call_back
from sip.test_nat import talk
from sip.test_trunks import registrar


@pytest.fixture(scope="module")
def before():
    with fronted() as made:
        yield made


@pytest.fixture(scope="module")
def own(before):
    where = {"PEAL_SIP_HOST": before.switch, "PEAL_SIP_PUBLIC": before.public}
    with exchanging(**where, PEAL_RELAY_MEDIA="always") as running:
        yield running


@pytest.fixture
def office(own):
    with ExitStack() as stack:
        yield Office(own, stack)


@pytest.fixture
def placed(office, before):
    """Places a phone in the world; at the end none has heard of the switch's own address.

    But for one place: a callback comes from the switch, which writes into the Via from where, as ever.
    """
    phones = []

    def place(number, transport="udp", address=0):
        proxy = (before.public, office.exchange.address(transport)[1])
        where = {"bind": before.phones[address], "namespace": before.namespace, "transport": transport}
        phones.append(office.phone(number, proxy=proxy, **where))
        return phones[-1]

    yield place
    for phone in phones:
        assert [line for line in phone.leaks(before.switch) if f";received={before.switch}" not in line] == []


# Breaks: config.py, `_listen`: no `advertise`; relay.py: no `!`.
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_phones_call_and_hear_each_other_by_its_public_address(office, before, placed, transport):
    caller, callee = placed("200", transport), placed("101", "udp", 1)
    here, there = (audio(office, phone, before.namespace) for phone in (caller, callee))
    call, leg = talk(caller, "101", callee)
    assert f"c=IN IP4 {before.public}\r\n" in call.final().body
    assert f"c=IN IP4 {before.public}\r\n" in leg.invite.body
    converse(here, call.final().body, there, leg.invite.body)
    assert call.reinvite().status == 200
    assert leg.reinvite(hold=True).status == 200
    assert leg.info().status == 200
    assert leg.bye().status == 200
    assert call.wait_ended().method == "BYE"


# Breaks: callback.cfg, CALL_BACK: @CONTACT@ for @SELF@; no WAY_TO_OURSELVES.
def test_it_calls_back(office, before, placed):
    [phone, callee] = placed("200"), placed("201", "udp", 1)
    phone.policies["REFER"] = follow_refer
    assert call_back(office, "200", to="201").status_code == 201
    leg = phone.expect_invite()
    leg.answer()
    called = callee.expect_invite()
    called.answer()
    assert phone.wait_followed().final().status == 200
    assert leg.wait_ended().method == "BYE"
    until(lambda: len(current(office, "200")) == 1)
    assert called.bye().status == 200
    office.exchange.until_idle(8)


def test_a_callback_is_hung_up(office, placed):
    phone = placed("200")
    phone.policies["REFER"] = leave
    assert call_back(office, "200", to="201").status_code == 201
    leg = phone.expect_invite()
    leg.answer()
    phone.expect("REFER")
    assert leg.reinvite().status == 200
    assert leg.bye().status == 200
    until(lambda: current(office) == [])


# Break: modules.cfg, `reg_contact_addr`: @SELF@.
def test_trunks_are_told_of_it_too(office, before):
    with outside_of(office) as outside:
        line = outside.line(bind=before.switch, login="line7", realm="carrier.test", password="a secret")
        taken = registrar(line)
        outside.admin.put(f"/admin/trunk/{line.id}", json={"register": True})
        line.phone.wait(lambda: taken, 10, "a registration")
        request = taken[0]
    reached = f"{before.public}:{office.exchange.port}"
    assert request.address("Contact").uri.partition(";")[0] == f"sip:trunk-{line.id}@{reached}"
    assert f" {reached};" in request.headers["Via"]
