"""Calls that ring or talk, as `current_calls` lists them."""

import re

from parts import until
from sip.lines import E
from sip.live import current, until_listed
from sip.story import story
from sip.test_changes import talk
from sip.test_to_the_bundle import BUNDLE, ring

DATABASES = ("sqlite", "postgresql")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def shown(office, number):
    """An extension as a live call shows it."""
    return {
        "id": office.ids[number],
        "type": "phone",
        "name": office.user(number),
        "client_id": office.tenant.id,
        "extension_group_id": None,
    }


def numbers(office, number=""):
    """Flow and extension of each call that is listed."""
    names = {made: number for number, made in office.ids.items()}
    return [(call["call_flow"], names[call["extension_id"]]) for call in current(office, number)]


# Break: live.py, _sides: `wanted or called_id` is `called_id`; `open_` not narrowed to the extension's own.
def test_a_call_is_listed_for_both_its_sides_while_it_rings_and_talks(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    ringing = until_listed(office, "100")
    until(lambda: numbers(office) == [("OUT", "200"), ("IN", "100")])
    assert TIME.fullmatch(ringing["init_time_gmt"])
    assert ringing == {
        "call_api_id": ringing["call_api_id"],
        "record_uuid": ringing["record_uuid"],
        "call_flow": "IN",
        "called_number": "100",
        "called_did": None,
        "init_time_gmt": ringing["init_time_gmt"],
        "answer_time_gmt": None,
        "caller_id_number": "200",
        "caller_id_name": "Name 200",
        "caller_extension": shown(office, "200"),
        "called_extension": shown(office, "100"),
        "extension_id": office.ids["100"],
    }
    until(lambda: [numbers(office, each) for each in BUNDLE] == [[("IN", each)] for each in BUNDLE])
    legs[1].answer()
    assert call.final().status == 200
    talking = until_listed(office, "101", answered=True)
    assert TIME.fullmatch(talking["answer_time_gmt"])
    assert talking["call_api_id"] == ringing["call_api_id"]
    assert talking["record_uuid"].startswith(f"{office.ids['101']}-")
    until(lambda: numbers(office, "102") == numbers(office, "201") == [])
    assert numbers(office, "100") == [("IN", "100")]
    assert numbers(office, "200") == [("OUT", "200")]
    assert call.bye().status == 200
    until(lambda: current(office) == [])
    assert story(office).one("hangup")["ended_by"] == "caller"


# Break: live.py, _sides: without `bundle_extension_id`; `is_shown` always true without `wanted`.
def test_calls_of_associated_phones_are_the_mains_and_their_own(office):
    one, callee, two = office.phones("101", "200", "102")
    call, _ = talk(one, "200", callee)
    until_listed(office, "101", answered=True)
    assert numbers(office, "100") == [("OUT", "100")]
    assert numbers(office, "101") == [("OUT", "101")]
    assert numbers(office, "102") == []
    [out] = current(office, "101")
    assert (out["caller_id_number"], out["caller_extension"]) == ("100", shown(office, "100"))
    assert out["call_api_id"] == current(office, "100")[0]["call_api_id"]
    assert call.bye().status == 200
    until(lambda: current(office) == [])
    between, _ = talk(one, "102", two)
    until_listed(office, "102", answered=True)
    assert numbers(office) == [("OUT", "100")]
    assert numbers(office, "100") == [("OUT", "100")]
    assert numbers(office, "101") == [("OUT", "101")]
    assert numbers(office, "102") == [("IN", "102")]
    assert between.bye().status == 200


def test_a_call_from_outside_shows_the_number_that_it_came_in_on(office, outside):
    line, did = outside.line(), outside.number("100")
    [one] = office.phones("101")
    outside.settle()
    call = line.phone.invite(did)
    one.expect_invite().answer()
    assert call.final().status == 200
    [listed] = [until_listed(office, "100", answered=True)]
    assert (listed["called_did"], listed["called_number"]) == (did, did)
    assert (listed["caller_id_number"], listed["caller_extension"]) == (E, None)
    assert listed["called_extension"]["name"] == office.user("100")
    assert numbers(office) == [("IN", "100")]
    assert call.bye().status == 200
