"""The switch asks the phones of a call whether they are still there: behaviour table, row 25.

It asks each 30 s, which can't be shortened: all calls of these tests are up at the same time."""

import time
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from sip.call import Call, Leg
from sip.exchange import Office, exchanging
from sip.heard import listening
from sip.history import compare_all, past
from sip.lines import E, Outside, ask
from sip.phone import Phone
from sip.story import Story, stories

pytestmark = pytest.mark.slow
ELSEWHERE = "<sip:phone@10.1.2.3:5060>"
"Where phones behind NAT believe themselves to be."


@dataclass
class Talk:
    """A call that is up, and what was told of it."""

    office: Office
    caller: Phone
    callee: Phone
    call: Call
    leg: Leg
    began: float
    told: Story | None = None

    @classmethod
    def between(cls, office: Office, caller: Phone, number: str, callee: Phone) -> "Talk":
        call = caller.invite(number, headers={"Contact": ELSEWHERE})
        leg = callee.expect_invite()
        leg.answer(headers={"Contact": ELSEWHERE})
        assert call.final().status == 200
        leg.wait_ack()
        for side in (call, leg):
            assert side.reinvite(headers={"Contact": ELSEWHERE}).status == 200
        return cls(office, caller, callee, call, leg, time.monotonic())


def behind_nat(office, number):
    phone = office.phone(number, registered=False)
    assert phone.register(contact=ELSEWHERE).status == 200
    return phone


def power_off(phone):
    with phone.lock:
        phone.dead = True


@pytest.fixture(scope="module")
def talks():
    """The calls as they stand a minute later: one whose phones are well, two in which one lost its power."""
    with exchanging() as exchange, listening(exchange), ExitStack() as stack:
        talks = {}
        for dies in ("nobody", "caller", "callee"):
            office = Office(exchange, stack)
            office.put_phone("200", incoming_limit=1)
            caller, callee = behind_nat(office, "101"), behind_nat(office, "200")
            talks[dies] = Talk.between(office, caller, "200", callee)
        power_off(talks["caller"].caller)
        power_off(talks["callee"].callee)
        talks["caller"].leg.wait_ended(90)
        talks["callee"].call.wait_ended(90)
        well = talks["nobody"]
        for phone in (well.caller, well.callee):
            phone.wait_for(is_question, times=2, timeout=90)
        yield talks


# Break: alive.cfg: without AHEAD.
def test_row_25_a_trunk_that_asked_for_credentials_takes_the_bye_for_a_new_request():
    with exchanging() as exchange, ExitStack() as stack:
        outside = Outside(Office(exchange, stack))
        outside.show(outside.number())
        line = outside.line(login="line7", password="a secret", realm="carrier.test")
        caller = outside.office.phone("101")
        call = caller.invite(E)
        ask(line.phone.expect_invite(), "carrier.test")
        leg = line.phone.expect_invite()
        leg.answer()
        assert call.final().status == 200
        power_off(caller)
        leg.wait_ended(90)
        bye = next(message for message in line.phone.received if message.method == "BYE")
        assert bye.cseq == leg.invite.cseq + 1


def is_question(message):
    """Whether it is OPTIONS inside the call; those outside keep the way through a NAT open."""
    return message.is_request and message.method == "OPTIONS" and message.tag("To")


# Break: call.cfg, REMEMBER: without `dlg_set_property("ka-src")`; for the callee without "ka-dst";
# events.cfg, WE_END: says "callee".
@pytest.mark.parametrize("dies", ["caller", "callee"])
def test_row_25_a_call_ends_when_a_phone_has_lost_its_power(talks, dies):
    talk = talks[dies]
    other = talk.leg if dies == "caller" else talk.call
    assert other.ending.method == "BYE"
    assert other.ending.at - talk.began < 90
    told = stories(talk.office, 1)[0]
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("hangup", "from", "from_main", "to", "answered_by") == ("101", "100", "200", "200")
    assert told.one("hangup")["ended_by"] == "switch"
    call = past(talk.office)[0]
    compare_all(talk.office)
    assert call.call == ("in of 200", "100 calls 200", "answered", "internal_cancel")
    assert call.legs == ["in 200 answered", "out 100 answered, 101"]


@pytest.mark.parametrize("dies", ["caller", "callee"])
def test_row_25_and_its_place_under_the_limit_is_free_again(talks, dies):
    office = talks[dies].office
    phone, caller = office.phone("200"), office.phone("201")
    call = caller.invite("200")
    phone.expect_invite().decline(480)
    assert call.final().status == 480


# Break: nat.cfg, TRUE_CONTACT: without `fix_nated_contact`.
def test_phones_behind_nat_are_found_and_their_call_goes_on(talks):
    talk = talks["nobody"]
    assert not talk.call.ended
    assert not talk.leg.ended
    assert talk.leg.bye().status == 200
    assert talk.call.wait_ended().method == "BYE"


# Break: alive.cfg: without `remove_hf("From")`.
@pytest.mark.parametrize("dies", ["nobody", "caller"])
def test_row_27_what_the_switch_itself_sends_carries_the_number_that_is_shown(talks, dies):
    callee = talks[dies].callee
    asked = list(filter(is_question, callee.received))
    assert {(message.address("From").user, message.display()) for message in asked} == {("100", "Name 100")}
    assert (
        callee.leaks("101") == callee.leaks("Name 101") == callee.leaks(talks[dies].office.user("101")) == []
    )
