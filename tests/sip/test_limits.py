"""Behaviour table, "Limits"."""

import pytest
from sip.history import past
from sip.story import stories
from sip.test_to_the_bundle import ring

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def busy(office):
    """An office whose bundle takes one call at a time; main, both associated, and two callers."""
    office.put_phone("102", incoming_limit=1)
    return office.phones("100", "101", "102", "200", "201")


def answered(caller, number, phone, *others):
    """Call a number; these phones ring, the first of them answers."""
    call, legs = ring(caller, number, phone, *others)
    legs[0].answer()
    assert call.final().status == 200
    return call


def assert_refused(office, number):
    """Of two calls the other one was told of as refused, and as nothing else."""
    [told] = [each for each in stories(office, calls=2) if each.all("refused")]
    assert told.kinds == {"refused": 1}
    assert told.one("refused")["code"] == "486"
    assert told.numbers("refused", "from", "to", "to_main") == ("201", number, "100")
    call = past(office, 2)[1]
    assert call.call == ("in of 100", f"201 calls {number}", "busy", "internal_cancel")
    assert call.legs == ["out 201 busy"]


# Break: call.cfg, LIMIT: compares with the limit plus one.
@pytest.mark.parametrize("number", ["100", "101", "102"])
def test_row_22_who_talks_on_any_member_is_busy_on_all(office, busy, number):
    main, one, two, caller, other = busy
    call = answered(caller, "100", one, main, two)
    assert other.invite(number).final().status == 486
    assert call.bye().status == 200
    assert_refused(office, number)


# Break: call.cfg, LIMIT: without `set_dlg_profile`.
def test_row_22_a_bundle_that_rings_is_busy(office, busy):
    *phones, caller, other = busy
    call, _ = ring(caller, "100", *phones)
    assert other.invite("102").final().status == 486
    call.cancel()
    assert call.final().status == 487
    assert_refused(office, "102")


# Break: call.cfg, ONCE: does nothing.
def test_row_22_who_asks_again_because_the_refusal_got_lost_is_one_call(office, busy):
    main, one, two, caller, other = busy
    call = answered(caller, "100", one, main, two)
    refused = other.invite("101")
    assert refused.final().status == 486
    for _ in range(3):
        other.send_raw(refused.invite.encode())
        other.settle()
    assert call.bye().status == 200
    assert_refused(office, "101")


# Break: call.cfg, LIMIT: `usleep("2000")` in the place of `lock`; without either the race is too short.
def test_row_23_of_twenty_calls_at_the_same_instant_exactly_one_gets_through(office, busy):
    for phone in busy[:3]:
        phone.on_call = lambda leg: leg.answer()
    callers = busy[3:]
    calls = [callers[n % 2].invite(("100", "101", "102")[n % 3]) for n in range(20)]
    codes = sorted(call.final(10).status for call in calls)
    assert codes == [200] + [486] * 19
    next(call for call in calls if call.final().status == 200).bye()
    assert sorted(each.shown["result"] for each in past(office, 20)) == ["answered"] + ["busy"] * 19


# Break: dialog.cfg, IN_DIALOG: a BYE is answered with 200 and goes nowhere.
def test_row_24_after_the_hangup_the_next_gets_through(office, busy):
    main, one, two, caller, other = busy
    for _ in range(3):
        assert answered(caller, "100", one, main, two).bye().status == 200
    call = answered(other, "101", one)
    assert call.bye().status == 200
    assert [each.shown["result"] for each in past(office, 4)] == ["answered"] * 4


# Break: call.cfg, LIMIT: without the comparison of `$avp(my_main)`.
def test_row_26_outgoing_calls_and_calls_between_members_do_not_count(office, busy):
    main, one, two, caller, other = busy
    outgoing = answered(one, "200", caller)
    between = answered(main, "102", two)
    incoming = answered(other, "101", one)
    for call in (outgoing, between, incoming):
        assert call.bye().status == 200
