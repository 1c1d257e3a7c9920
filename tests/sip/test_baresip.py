"""Rows of the behaviour table with a softphone that others wrote, which sends and hears real media."""

import pytest
from sip.baresip import Baresip
from sip.exchange import DOMAIN
from sip.story import stories, story


@pytest.fixture
def phones(office, tmp_path):
    """Make and register a baresip for each of these numbers."""

    def make(*numbers):
        return [office.stack.enter_context(one(number)) for number in numbers]

    def one(number):
        folder = tmp_path / number
        return Baresip(folder, office.user(number), office.passwords[number], DOMAIN, office.exchange.port)

    return make


def dial(caller, number, *called):
    """Call; all of these ring. Return what each has been told of the call."""
    caller.say("dial", f"sip:{number}@{DOMAIN}")
    told = [phone.wait("CALL_INCOMING") for phone in called]
    caller.wait("CALL_RINGING")
    return told


# Break: ring.cfg, ADD_PHONES: `lookup_to_dset` left out.
def test_row_01_baresips_ring_all_and_one_answers(office, phones):
    main, one, two, caller = phones("100", "101", "102", "200")
    told = dial(caller, "100", main, one, two)
    assert {(each["peeruri"], each["peerdisplayname"]) for each in told} == {
        (f"sip:200@{DOMAIN}", "Name 200")
    }
    one.say("accept")
    assert caller.wait("CALL_ESTABLISHED")["peeruri"] == f"sip:100@{DOMAIN}"
    one.wait("CALL_ESTABLISHED")
    main.wait("CALL_CLOSED")
    two.wait("CALL_CLOSED")
    caller.say("hangup")
    one.wait("CALL_CLOSED")
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.legs == [("100", "487"), ("101", "200"), ("102", "487")]


# Break: request.cfg: a CANCEL is not relayed.
def test_row_03_baresips_stop_when_the_caller_gives_up(office, phones):
    main, one, two, caller = phones("100", "101", "102", "200")
    dial(caller, "100", main, one, two)
    caller.say("hangup")
    for phone in (main, one, two):
        phone.wait("CALL_CLOSED")
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "487"


# Break: ring.cfg, RUNG: `if ($rs == 486) t_cancel_branches("others");`.
def test_row_05_one_baresip_declines_and_another_answers(office, phones):
    main, one, two, caller = phones("100", "101", "102", "200")
    dial(caller, "100", main, one, two)
    one.say("hangup")
    one.wait("CALL_CLOSED")
    two.say("accept")
    caller.wait("CALL_ESTABLISHED")
    main.wait("CALL_CLOSED")
    two.say("hangup")
    caller.wait("CALL_CLOSED")
    told = story(office)
    assert told.numbers("answer", "answered_by") == ("102",)
    assert told.legs == [("100", "487"), ("101", "486"), ("102", "200")]


# Break: ring.cfg, PHONES: `$avp(ring) = "100,101,102"`.
def test_row_18_a_call_to_an_associated_baresip_rings_only_that(office, phones):
    main, one, two, caller = phones("100", "101", "102", "200")
    dial(caller, "101", one)
    one.say("accept")
    caller.wait("CALL_ESTABLISHED")
    one.say("hangup")
    caller.wait("CALL_CLOSED")
    told = story(office)
    assert told.legs == [("101", "200")]
    for phone in (main, two):
        phone.say("reginfo")
        phone.wait_answer()
        assert not [event for event in phone.events if event.get("type") == "CALL_INCOMING"]


# Break: ring.cfg, PHONES: `if ($var(member) != $avp(me))` left out.
def test_row_20_a_baresip_of_the_bundle_calls_the_main_extension_and_does_not_ring_itself(office, phones):
    main, one, two = phones("100", "101", "102")
    told = dial(one, "100", main, two)
    assert {each["peeruri"] for each in told} == {f"sip:101@{DOMAIN}"}
    two.say("accept")
    one.wait("CALL_ESTABLISHED")
    main.wait("CALL_CLOSED")
    one.say("hangup")
    two.wait("CALL_CLOSED")
    assert story(office).legs == [("100", "487"), ("102", "200")]


# Break: call.cfg, NUMBERS: `$avp(my_number)` always the caller's own.
def test_row_27_a_baresip_of_the_bundle_shows_the_main_extension(office, phones):
    one, callee = phones("101", "200")
    [told] = dial(one, "200", callee)
    assert (told["peeruri"], told["peerdisplayname"]) == (f"sip:100@{DOMAIN}", "Name 100")
    callee.say("accept")
    one.wait("CALL_ESTABLISHED")
    callee.say("hangup")
    one.wait("CALL_CLOSED")
    assert story(office).numbers("hangup", "from", "from_main", "to") == ("101", "100", "200")


# Break: transfer.cfg, REFER: REFER is answered with 403.
def test_row_32_a_baresip_of_the_bundle_transfers_another_one(office, phones):
    one, colleague, other = phones("101", "200", "201")
    dial(one, "200", colleague)
    colleague.say("accept")
    one.wait("CALL_ESTABLISHED")
    one.say("transfer", f"sip:201@{DOMAIN}")
    told = other.wait("CALL_INCOMING")
    assert (told["peeruri"], told["peerdisplayname"]) == (f"sip:200@{DOMAIN}", "Name 200")
    other.say("accept")
    other.wait("CALL_ESTABLISHED")
    one.wait("CALL_CLOSED")
    other.say("hangup")
    other.wait("CALL_CLOSED")
    old, new = sorted(stories(office, 2), key=lambda each: "transfer" in each.one("begin"))
    assert old.one("transfer")["reason"] == "bl_xfer"
    assert new.one("begin")["transfer"] == old.one("begin")["call"]
