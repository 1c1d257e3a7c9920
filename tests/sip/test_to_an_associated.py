"""Behaviour table, "Calls to an associated extension"."""

from sip.history import history
from sip.story import story
from sip.test_to_the_bundle import BUNDLE, assert_quiet, assert_stopped, ring


# Break: call.cfg, REMEMBER: `$dlg_var(b)` always the main one's.
def test_row_18_a_call_to_an_associated_extension_rings_only_that(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, [leg] = ring(caller, "101", one)
    leg.answer()
    answer = call.final()
    assert answer.status == 200
    assert (answer.asserted_identity.user, answer.asserted_identity.display) == ("101", "Name 101")
    assert call.bye().status == 200
    assert_quiet(main, two)
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "to", "to_main", "dialled") == ("101", "100", "101")
    assert told.numbers("hangup", "answered_by") == ("101",)
    assert told.legs == [("101", "200")]
    assert history(office).call == ("in of 100", "200 calls 101", "answered", "caller_bye")
    assert history(office).legs == ["in 101 answered, 100", "out 200 answered"]


# Break: call.cfg, REMEMBER: `$dlg_var(a) = "0"`.
def test_row_19_the_main_extension_calls_an_associated_one(office):
    main, one, two = office.phones(*BUNDLE)
    call, [leg] = ring(main, "101", one)
    assert (leg.caller.user, leg.caller.display) == ("100", "Name 100")
    assert leg.invite.asserted_identity.user == "100"
    leg.answer()
    assert call.final().asserted_identity.user == "101"
    assert call.bye().status == 200
    assert_quiet(main, two)
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "from_main", "to", "to_main") == ("100", "100", "101", "100")
    assert told.legs == [("101", "200")]
    assert history(office).call == ("in of 100", "100 calls 101", "answered", "caller_bye")
    assert history(office).legs == ["in 101 answered, 100", "out 100 answered"]


# Break: ring.cfg, PHONES: `if ($var(member) != $avp(me))` left out; call.cfg, REMEMBER: the main one's number
# also between members.
def test_row_20_an_associated_extension_calls_its_main_one(office):
    main, one, two = office.phones(*BUNDLE)
    call, legs = ring(one, "100", main, two)
    for leg in legs:
        assert (leg.caller.user, leg.caller.display) == ("101", "Name 101")
        assert leg.invite.asserted_identity.user == "101"
    legs[1].answer()
    assert call.final().asserted_identity.user == "100"
    assert_stopped(legs[0])
    assert call.bye().status == 200
    assert_quiet(one)
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "from_main", "to", "to_main") == ("101", "100", "100", "100")
    assert told.legs == [("100", "487"), ("102", "200")]
    assert history(office).call == ("in of 100", "101 calls 100", "answered", "caller_bye")
    rang = ["in 100 answered elsewhere, 100", "in 102 answered, 100"]
    assert history(office).legs == [*rang, "out 100 answered, 101"]


# Break: as 20.
def test_row_21_the_main_extension_calls_itself(office):
    main, one, two = office.phones(*BUNDLE)
    call, legs = ring(main, "100", one, two)
    assert {leg.caller.user for leg in legs} == {"100"}
    legs[0].answer()
    assert call.final().status == 200
    assert_stopped(legs[1])
    assert legs[0].bye().status == 200
    assert_quiet(main)
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.legs == [("101", "200"), ("102", "487")]
    assert history(office).call == ("in of 100", "100 calls 100", "answered", "callee_bye")
    rang = ["in 101 answered, 100", "in 102 answered elsewhere, 100"]
    assert history(office).legs == [*rang, "out 100 answered"]
