"""Behaviour table, last column: what a real HTTP subscriber is told of calls between real phones."""

import re

import pytest
from sip.lines import E
from sip.policy import follow_refer
from sip.subscriber import subscriber_of
from sip.test_changes import talk
from sip.test_to_the_bundle import BUNDLE, ring


@pytest.fixture
def subscriber(office):
    with subscriber_of(office) as heard:
        yield heard


def both(caller: str, main: str, *ends: str) -> list[str]:
    """What both sides of an internal call are told: at its begin, its answer, its end."""
    numbers = f"{caller} calls {main}"
    lines = []
    for end in ends:
        kind, _, status = end.partition(" ")
        sides = (("out", caller), ("in", main))
        for flow, whose in sides:
            name = f"dial-{flow}" if kind == "dial" else kind
            lines.append(f"{whose} {flow} {name} {status}: {numbers}")
    return lines


# Break: notices.py, _called: SubCallID of the phone that answered.
def test_row_01_one_dial_one_answer_one_hangup_for_each_side_whichever_phone_answers(office, subscriber):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    came = subscriber.told(6)
    assert subscriber.record(6) == both("200", "100", "dial CALLING", "answer ANSWER", "hangup ANSWER")
    prefix, ids = office.tenant.client["prefix"], office.ids
    for each in came:
        told, side = each.fields, "100" if each.fields["CallFlow"] == "in" else "200"
        fixed = {
            "CallerIDNum": "200",
            "CallerIDName": "Name 200",
            "CallerExtension": f"{prefix}*200@pbx.test",
            "CallerExtensionID": str(ids["200"]),
            "CalledNumber": "100",
            "CalledExtension": f"{prefix}*100@pbx.test",
            "CalledExtensionID": str(ids["100"]),
        }
        assert {name: told[name] for name in fixed} == fixed
        assert told["CallID"] == came[0].fields["CallID"]
        assert re.fullmatch("[0-9A-F]{32}", told["CallID"])
        assert re.fullmatch(f"{ids[side]}-[0-9A-F]{{32}}", told["SubCallID"])
        assert int(told["EventTime"]) <= each.at * 1_000_000
        more = {"Duration", "RecID"} if told["EventType"] == "hangup" else set()
        bundle = {"BundleInfo"} if side == "100" else set()
        always = {"EventType", "EventTime", "CallID", "SubCallID", "CallAPIID", "CallFlow", "CallStatus"}
        assert set(told) == always | set(fixed) | more | bundle
    assert len({each.fields["SubCallID"] for each in came}) == 2


# Break: notices.py, _status: NOANSWER for CANCEL.
def test_row_03_a_caller_that_gives_up(office, subscriber):
    *phones, caller = office.phones(*BUNDLE, "200")
    call, _ = ring(caller, "100", *phones)
    assert call.cancel().status == 200
    assert call.final().status == 487
    assert subscriber.record(4) == both("200", "100", "dial CALLING", "hangup CANCEL")


def test_row_04_nobody_answers(office, subscriber):
    *phones, caller = office.phones(*BUNDLE, "200")
    call, _ = ring(caller, "100", *phones)
    assert call.final().status == 480
    assert subscriber.record(4) == both("200", "100", "dial CALLING", "hangup NOANSWER")


def test_row_07_a_603_is_busy(office, subscriber):
    *phones, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", *phones)
    legs[1].decline(603)
    assert call.final().status == 603
    assert subscriber.record(4) == both("200", "100", "dial CALLING", "hangup BUSY")


def test_row_10_no_phone_is_registered(office, subscriber):
    caller = office.phone("200")
    assert caller.invite("100").final().status == 480
    assert subscriber.record(4) == both("200", "100", "dial CALLING", "hangup CHANUNAVAIL")


# Break: notices.py, _parties: without CalledDID.
def test_row_16_a_call_from_outside_names_the_number_that_it_came_in_on(office, outside, subscriber):
    line, did = outside.line(), outside.number("100")
    phones = office.phones(*BUNDLE)
    outside.settle()
    call, legs = ring(line.phone, did, *phones)
    legs[1].answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    kinds = ("dial-in CALLING", "answer ANSWER", "hangup ANSWER")
    assert subscriber.record(3) == [f"100 in {kind}: {E} calls 100" for kind in kinds]
    for each in subscriber.told(3):
        assert (each.fields["CalledDID"], each.fields["CalledNumber"]) == (did, did)
        assert "CallerExtension" not in each.fields


def test_row_18_a_call_to_an_associated_extension_is_the_main_ones(office, subscriber):
    one, caller = office.phones("101", "200")
    call, [leg] = ring(caller, "101", one)
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    assert subscriber.record(6) == both("200", "100", "dial CALLING", "answer ANSWER", "hangup ANSWER")
    for each in subscriber.told(6):
        assert each.fields["CalledNumber"] == "101"


def told_between_members(office, subscriber, caller, number):
    """The record of a call from one member to another."""
    phones = {each: office.phone(each) for each in BUNDLE}
    call = phones[caller].invite(number)
    phones["102" if number == "100" else number].expect_invite().answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    return subscriber.record(3)


OWN = ("dial-out CALLING", "answer ANSWER", "hangup ANSWER")


# Break: notices.py, _called: without is_between_members.
def test_row_19_the_main_extension_calls_a_member_and_is_told_once(office, subscriber):
    told = told_between_members(office, subscriber, "100", "101")
    assert told == [f"100 out {kind}: 100 calls 100" for kind in OWN]


def test_row_20_a_member_calls_the_main_extension_and_that_is_told_once(office, subscriber):
    told = told_between_members(office, subscriber, "101", "100")
    assert told == [f"100 out {kind}: 101 calls 100" for kind in OWN]


def test_row_21_the_main_extension_calls_itself_and_is_told_once(office, subscriber):
    told = told_between_members(office, subscriber, "100", "100")
    assert told == [f"100 out {kind}: 100 calls 100" for kind in OWN]


def test_row_22_beyond_the_limit_is_busy(office, subscriber):
    one, caller, other = office.phones("101", "200", "201")
    office.put_phone("100", incoming_limit=1)
    call, [leg] = ring(caller, "100", one)
    leg.answer()
    assert call.final().status == 200
    subscriber.told(4)
    assert other.invite("102").final().status == 486
    assert subscriber.record(8)[4:] == both("201", "100", "dial CALLING", "hangup BUSY")
    assert call.bye().status == 200


def test_row_27_a_call_from_the_bundle_is_the_main_ones(office, subscriber):
    one, callee = office.phones("101", "200")
    call, [leg] = ring(one, "200", callee)
    leg.answer()
    assert call.final().status == 200
    assert leg.bye().status == 200
    assert subscriber.record(6) == both("100", "200", "dial CALLING", "answer ANSWER", "hangup ANSWER")
    for each in subscriber.told(6):
        assert each.fields["CallerIDName"] == "Name 100"
        if each.fields["CallFlow"] == "in":
            assert "101" not in each.fields["SubCallID"].partition("-")[0]
            assert "BundleInfo" not in each.fields


def test_row_28_with_no_number_to_show_the_call_is_refused_and_told(office, outside, subscriber):
    outside.line()
    caller = office.phone("101")
    outside.settle()
    assert caller.invite(E).final().status == 403
    kinds = ("dial-out CALLING", "hangup CONGESTION")
    assert subscriber.record(2) == [f"100 out {kind}: 100 calls {E}" for kind in kinds]


def test_row_32_a_transfer_keeps_the_call_id(office, subscriber):
    one, colleague, other = office.phones("101", "200", "201")
    colleague.policies["REFER"] = follow_refer
    first, _ = talk(one, "200", colleague)
    assert first.refer("201").status == 202
    leg = other.expect_invite()
    leg.answer()
    assert first.wait_transferred() == 200
    assert first.bye().status == 200
    assert colleague.wait_followed().bye().status == 200
    came = subscriber.told(12)
    assert len({each.fields["CallID"] for each in came}) == 1
    kinds = ("dial CALLING", "answer ANSWER", "hangup ANSWER")
    lines = subscriber.record(12)
    assert [line for line in lines if "calls 200" in line] == both("100", "200", *kinds)
    assert [line for line in lines if "calls 201" in line] == both("200", "201", *kinds)
