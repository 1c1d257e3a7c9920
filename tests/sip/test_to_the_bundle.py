"""Behaviour table, "Calls to the bundle", with phones of ours."""

import time

import pytest
from sip import policy, sdp
from sip.history import all_over, history, past, short
from sip.message import request, response
from sip.story import stories, story

BUNDLE = ("100", "101", "102")
DECLINED = {486: "busy", 480: "rejected", 488: "rejected", 404: "rejected"}
"How history tells what a phone says."


def ring(caller, number, *phones):
    """Call; all of these phones ring. Return the call and a leg for each."""
    call = caller.invite(number)
    legs = [phone.expect_invite() for phone in phones]
    for leg in legs:
        leg.ring()
    call.wait(180)
    return call, legs


def assert_quiet(*phones):
    """None of these has been called."""
    for phone in phones:
        phone.never(request("INVITE"), until=phone.settle)


def assert_stopped(leg):
    """It stopped ringing and may know that another phone has the call."""
    assert "SIP;cause=200" in leg.wait_cancelled().headers.get("Reason")


def assert_given_up(leg):
    """It stopped ringing, and nobody has answered."""
    assert "cause=200" not in leg.wait_cancelled().headers.get("Reason")


# Break: ring.cfg, PHONES: `$avp(ring) = "101"`.
def test_row_01_all_ring_and_the_others_hear_it_was_answered_elsewhere(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    assert {leg.caller.user for leg in legs} == {"200"}
    legs[1].answer()
    answer = call.final()
    assert answer.status == 200
    assert (answer.asserted_identity.user, answer.asserted_identity.display) == ("100", "Name 100")
    assert_stopped(legs[0])
    assert_stopped(legs[2])
    assert call.bye().status == 200
    assert caller.leaks("101") == []
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "to", "to_main", "dialled") == ("200", "100", "100", "100")
    assert told.numbers("answer", "answered_by") == ("101",)
    assert told.numbers("hangup", "answered_by", "code") == ("101", "200")
    assert told.legs == [("100", "487"), ("101", "200"), ("102", "487")]
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "caller_bye")
    assert history(office).legs == [
        "in 100 answered elsewhere, 100",
        "in 101 answered, 100",
        "in 102 answered elsewhere, 100",
        "out 200 answered",
    ]


# Break: ring.cfg, RUNG: without TOO_LATE.
def test_row_01_who_first_speaks_as_another_one_answers_stops_too(office):
    quick, caller = office.phones("101", "200")
    late = [office.phone(number, trying=False) for number in ("100", "102")]
    quick.on_call = lambda leg: leg.answer()
    for phone in late:
        phone.on_call = lambda leg: leg.ring()
    for _ in range(150):  # a race
        call = caller.invite("100")
        legs = [phone.expect_invite() for phone in late]
        assert call.final().status == 200
        for leg in legs:
            leg.wait_cancelled()
        assert call.bye().status == 200


# Break: events.cfg, FIRST_ANSWER: `$dlg_var(by) = "101"`; ENDED_BY: without `$ft == $dlg(from_tag)`.
def test_row_02_the_main_phone_answers_and_the_associated_ones_stop(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    legs[0].answer()
    answer = call.final()
    assert (answer.status, answer.asserted_identity.user) == (200, "100")
    assert_stopped(legs[1])
    assert_stopped(legs[2])
    assert legs[0].bye().status == 200
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("answer", "answered_by") == ("100",)
    assert told.one("hangup")["ended_by"] == "callee"
    assert told.legs == [("100", "200"), ("101", "487"), ("102", "487")]
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "callee_bye")
    assert history(office).legs == [
        "in 100 answered, 100",
        "in 101 answered elsewhere, 100",
        "in 102 answered elsewhere, 100",
        "out 200 answered",
    ]


# Break: request.cfg: answer a CANCEL with 200 and relay nothing.
def test_row_03_the_caller_gives_up_and_all_stop(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    assert call.cancel().status == 200
    for leg in legs:
        assert_given_up(leg)
    assert call.final().status == 487
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert (told.one("hangup")["code"], told.one("hangup")["ended_by"]) == ("487", "caller")
    assert told.legs == [(number, "487") for number in BUNDLE]
    assert history(office).call == ("in of 100", "200 calls 100", "not answered", "caller_cancel")
    rang = [f"in {number} not answered, 100" for number in BUNDLE]
    assert history(office).legs == [*rang, "out 200 not answered"]


# Break: ring.cfg, NOBODY: without the line of `t_is_canceled`.
def test_row_03_it_is_487_also_when_a_phone_was_busy_before(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].decline(486)
    legs[1].wait_ack()
    call.cancel()
    assert_given_up(legs[0])
    assert_given_up(legs[2])
    assert call.final().status == 487
    told = story(office)
    assert told.one("hangup")["code"] == "487"
    assert told.legs == [("100", "487"), ("101", "486"), ("102", "487")]
    assert history(office).call[2:] == ("not answered", "caller_cancel")
    assert history(office).legs[1] == "in 101 busy, 100"


# Break: ring.cfg, RING: without the line of `t_is_canceled`.
def test_row_03_it_is_487_also_before_all_phones_are_called(office):
    *phones, caller = office.phones(*BUNDLE, "200")
    for _ in range(100):  # a race
        call = caller.invite("100")
        call.cancel()
        assert call.final().status == 487
    given_up = ("in of 100", "200 calls 100", "not answered", "caller_cancel")
    assert {each.call for each in all_over(office, 100)} == {given_up}
    for phone in phones:
        rang = {message.call_id for message in phone.received if message.method == "INVITE"}
        phone.wait(lambda rang=rang, phone=phone: cancelled(phone) >= rang, None, "the end of all calls")


def cancelled(phone):
    """The calls that a phone was told to ring no more for."""
    return {message.call_id for message in phone.received if message.method == "CANCEL"}


# Break: ring.cfg, RING: without `t_set_max_lifetime`.
def test_row_04_nobody_answers_within_the_ring_time_and_progress_does_not_prolong_it(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    rang = caller.wait_for(response(180)).at
    seconds = float(office.exchange.settings["PEAL_RING_SECONDS"])
    with pytest.raises(AssertionError):
        call.final(timeout=seconds - 0.8)
    legs[1].ring(183)
    ended = call.final()
    assert ended.status == 480
    assert ended.at - rang < seconds + 0.5
    for leg in legs:
        assert_given_up(leg)
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "480"
    assert "ended_by" not in told.one("hangup")
    assert told.legs == [(number, "timeout") for number in BUNDLE]
    assert history(office).call == ("in of 100", "200 calls 100", "not answered", "internal_cancel")
    rang = [f"in {number} not answered, 100" for number in BUNDLE]
    assert history(office).legs == [*rang, "out 200 not answered"]


# Break: ring.cfg, RUNG: `if ($rs >= 400 && $rs != 487) t_cancel_branches("others");`.
@pytest.mark.parametrize("status", [486, 480, 488])
def test_row_05_one_phone_declines_and_the_others_go_on_ringing(office, status):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].decline(status)
    legs[1].wait_ack()
    assert legs[0].cancelled is None
    assert call.sent.final is None
    legs[2].answer()
    assert call.final().status == 200
    assert_stopped(legs[0])
    call.bye()
    told = story(office)
    assert told.numbers("answer", "answered_by") == ("102",)
    assert told.legs == [("100", "487"), ("101", str(status)), ("102", "200")]
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "caller_bye")
    assert history(office).legs == [
        "in 100 answered elsewhere, 100",
        f"in 101 {DECLINED[status]}, 100",
        "in 102 answered, 100",
        "out 200 answered",
    ]


# Break: ring.cfg, RUNG: without the line of `$avp(busy)`.
@pytest.mark.parametrize(("statuses", "wanted"), [((480, 486, 488), 486), ((480, 488, 404), 480)])
def test_row_06_all_decline_and_the_caller_hears_busy_if_any_was(office, statuses, wanted):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    for leg, status in zip(legs, statuses, strict=True):
        leg.decline(status)
    assert call.final().status == wanted
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == str(wanted)
    assert told.legs == [(n, str(status)) for n, status in zip(BUNDLE, statuses, strict=True)]
    result = {486: "busy", 480: "not answered"}[wanted]
    assert history(office).call == ("in of 100", "200 calls 100", result, "callee_refuse")
    rang = [f"in {n} {DECLINED[status]}, 100" for n, status in zip(BUNDLE, statuses, strict=True)]
    assert history(office).legs == [*rang, f"out 200 {result}"]


# Break: ring.cfg, RING: `t_set_disable_6xx("1")`.
def test_row_07_a_603_ends_the_call_for_all(office):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    legs[1].decline(603)
    assert_given_up(legs[0])
    assert_given_up(legs[2])
    assert call.final().status == 603
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "603"
    assert told.legs == [("100", "487"), ("101", "603"), ("102", "487")]
    assert history(office).call == ("in of 100", "200 calls 100", "rejected", "callee_refuse")
    assert history(office).legs == [
        "in 100 not answered, 100",
        "in 101 rejected, 100",
        "in 102 not answered, 100",
        "out 200 rejected",
    ]


# Break: ring.cfg, COUNT_PHONES: 480 and `exit` where a member has no phone.
@pytest.mark.parametrize("away", [0, 2], ids=["09: the main one", "08: an associated one"])
def test_row_08_and_09_a_member_without_a_phone_leaves_the_others_ringing(office, away):
    present = [number for number in BUNDLE if number != BUNDLE[away]]
    one, two, caller = office.phones(*present, "200")
    call, legs = ring(caller, "100", one, two)
    legs[0].answer()
    answer = call.final()
    assert (answer.status, answer.asserted_identity.user) == (200, "100")
    assert_stopped(legs[1])
    call.bye()
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.legs == [(present[0], "200"), (present[1], "487")]
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "caller_bye")
    rang = [f"in {present[0]} answered, 100", f"in {present[1]} answered elsewhere, 100"]
    assert history(office).legs == [*rang, "out 200 answered"]


# Break: ring.cfg, RING: without `$dlg_var(code)` the hangup tells another code than the caller heard.
def test_row_10_no_phone_registered_is_480_at_once(office):
    main, caller = office.phones("100", "200")
    main.unregister()
    assert caller.invite("100").final(timeout=1).status == 480
    assert_quiet(main)
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "480"
    assert told.all("ring") == []
    assert history(office).call == ("in of 100", "200 calls 100", "failed", "internal_cancel")
    assert history(office).legs == ["out 200 failed"]


# Break: modules.cfg: `append_branches` 0.
def test_row_11_both_phones_of_an_extension_ring(office):
    main, one, again, two, caller = office.phones("100", "101", "101", "102", "200")
    call, legs = ring(caller, "100", main, one, again, two)
    legs[2].answer()
    assert call.final().status == 200
    for leg in (legs[0], legs[1], legs[3]):
        assert_stopped(leg)
    call.bye()
    told = story(office)
    assert told.numbers("answer", "answered_by") == ("101",)
    assert told.legs == [("100", "487"), ("101", "200"), ("101", "487"), ("102", "487")]
    assert history(office).legs == [
        "in 100 answered elsewhere, 100",
        "in 101 answered elsewhere, 100",
        "in 101 answered, 100",
        "in 102 answered elsewhere, 100",
        "out 200 answered",
    ]


# Break: register.cfg, MAKE_ROOM: `unregister` left out.
def test_row_11_of_four_phones_the_oldest_goes(office):
    oldest, *others = office.phones("101", "101", "101", "101")
    [caller] = office.phones("200")
    call, legs = ring(caller, "101", *others)
    assert_quiet(oldest)
    legs[0].answer()
    assert call.final().status == 200
    call.bye()


# Break: modules.cfg: without registrar's `max_contacts`.
def test_row_11_four_contacts_in_one_message_are_one_too_many(office):
    phone = office.phone("101", registered=False)
    four = ", ".join(f"<sip:{office.user('101')}@127.0.0.1:{port}>" for port in range(1, 5))
    assert phone.register(contact=four).status == 503
    assert not office.registered("101")
    assert phone.register().status == 200


# Break: ring.cfg, FRESHEST: sorted by `id` only; without `place > 1`.
def test_row_12_of_more_than_30_phones_the_freshest_ring_and_at_least_one_per_member(office):
    many = [f"1{n:02}" for n in range(11)]
    for number in many[3:]:
        office.extension(number)
    office.tenant.bundle(*(office.ids[number] for number in many))
    alone = office.phone(many[-1])  # the oldest, and the only one of its member
    phones = [office.phone(number) for _ in range(3) for number in many[:-1]]
    refresh(phones[0])
    caller = office.phone("200")
    call = caller.invite("100")
    ringing = [alone, phones[0], *phones[2:]]
    legs = [phone.expect_invite() for phone in ringing]
    assert len(legs) == 30
    assert_quiet(phones[1])
    legs[0].answer()
    assert call.final().status == 200
    for leg in legs[1:]:
        assert_stopped(leg)
    assert call.bye().status == 200
    told = story(office)
    assert told.numbers("answer", "answered_by") == ("110",)
    assert len(told.legs) == 30
    told = history(office).legs
    assert (len(told), told[-1]) == (31, "out 200 answered")
    assert [each for each in told[:-1] if not each.endswith("answered elsewhere, 100")] == [
        "in 110 answered, 100"
    ]
    assert f"alarm: {office.user('100')}@" in office.exchange.log.read_text()


def refresh(phone):
    """Register again in a later second than the others: registrations know no finer time."""
    time.sleep(1.02 - time.time() % 1)  # the coarse clock may be some milliseconds late
    assert phone.register().status == 200


def crossing(office, **options):
    """101 answers, and 102, which has not seen its CANCEL yet; both answers reach the caller."""
    caller = office.phone("200")
    phones = [office.phone("101"), office.phone("102", **options)]
    phones[1].policies["CANCEL"] = policy.leave
    return caller, phones


# Break: ring.cfg, RUNG: without ANSWERED.
def test_row_13_of_two_answers_the_first_has_the_call_and_the_second_is_ended_alone(office):
    caller, phones = crossing(office)
    call, legs = ring(caller, "100", *phones)
    legs[0].answer()
    call.final()
    legs[1].answer()
    caller.wait(lambda: len(call.answers) == 2, None, "a second answer")
    legs[1].wait_ack()
    assert call.answers[1].send("BYE").wait().status == 200
    phones[1].wait(lambda: legs[1].ended, None, "the end of the second leg")
    assert call.update().status == 200
    assert not legs[0].ended
    assert call.bye().status == 200
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("answer", "answered_by") == ("101",)
    assert told.numbers("hangup", "answered_by") == ("101",)
    assert told.legs == [("101", "200"), ("102", "200")]
    assert told.events[-1]["type"] == "hangup"
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "caller_bye")
    rang = ["in 101 answered, 100", "in 102 answered elsewhere, 100"]
    assert history(office).legs == [*rang, "out 200 answered"]


# Break: ring.cfg, ANSWERED: no wait for the first answer; or `$avp(type)` for `$var(type)` in all events.
def test_row_13_of_phones_that_answer_at_once_the_first_has_the_call_and_one_answer_is_told(office):
    *phones, caller = office.phones("101", "102", "200")
    for phone in phones:
        phone.on_call = lambda leg: leg.answer()
    answered = []
    for _ in range(20):
        with caller.lock:
            call = caller.invite("100")
            call.watchers.append(lambda response, call=call: end_all_but_the_first(call))
        assert call.final().status == 200
        caller.wait(lambda call=call: len(call.answers) == 2, None, "a second answer")
        first = call.answers[0]
        answered.append(next(phone.user[-3:] for phone in phones if first.id[2] in tags(phone)))
        assert first.send("BYE").wait().status == 200
    in_order = sorted(stories(office, len(answered)), key=lambda told: float(told.one("begin")["at"]))
    assert [told.one("answer")["answered_by"] for told in in_order] == answered
    for told, number in zip(in_order, answered, strict=True):
        assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
        assert told.one("hangup")["answered_by"] == number
        assert told.legs == [("101", "200"), ("102", "200")]
        assert told.all("leg")[0]["device"] == number
    for call, number in zip(past(office, len(answered)), answered, strict=True):
        other = {"101": "102", "102": "101"}[number]
        rang = sorted([f"in {number} answered, 100", f"in {other} answered elsewhere, 100"])
        assert call.legs == [*rang, "out 200 answered"]
        assert short(call.shown["bridged_username"]) == number


def end_all_but_the_first(call):
    """As RFC 3261 has it: the caller ends what was answered beside the call it has."""
    for dialog in call.answers[1:]:
        if not dialog.ended:
            dialog.send("BYE")


def tags(phone):
    """Those by which a phone's calls know it."""
    return {dialog.id[1] for dialog in phone.dialogs.values()}


# Break: ring.cfg, LEG_ENDED: each repetition of the 200 is told.
def test_row_13_a_second_answer_that_the_caller_ignores_hangs_up_by_itself(office):
    caller, phones = crossing(office, t1=0.05)
    call = caller.invite("100", acks="first")
    legs = [phone.expect_invite() for phone in phones]
    for leg in legs:
        leg.ring()
    legs[0].answer()
    call.final()
    legs[1].answer()
    phones[1].wait_for(lambda message: message.method == "BYE" and message.status)
    assert call.update().status == 200
    assert call.bye().status == 200
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("hangup", "answered_by") == ("101",)


# Break: dialog.cfg, IN_DIALOG: without SECOND_LEG.
def test_row_13_the_second_phone_is_shown_what_the_first_is(office):
    caller, *phones = office.phones("101", "200", "200")
    phones[1].policies["CANCEL"] = policy.leave
    call, legs = ring(caller, "200", *phones)
    legs[0].answer()
    call.final()
    legs[1].answer()
    assert legs[1].wait_ack().address("From").user == "100"
    assert legs[1].info().status == 200
    bye = call.answers[1].send("BYE").wait()
    assert (bye.status, bye.uri_user("From")) == (200, office.user("101"))
    assert call.bye().status == 200
    assert [phone.leaks("101") for phone in phones] == [[], []]


# Break: ring.cfg, RUNG: `if ($rs == 183) drop;`.
def test_row_14_early_media_of_one_phone_and_the_ringing_of_another_both_reach_the_caller(office):
    one, two, caller = office.phones("101", "102", "200")
    call = caller.invite("100")
    first, second = one.expect_invite(), two.expect_invite()
    first.ring(183, sdp=None)
    second.ring()
    progress, ringing = call.wait(183), call.wait(180)
    assert sdp.direction(progress.body) == "sendrecv"
    assert "m=audio" in progress.body
    assert ringing.body == ""
    assert progress.tag("To") != ringing.tag("To")
    assert progress.asserted_identity.user == ringing.asserted_identity.user == "100"
    assert (first.cancelled, second.cancelled) == (None, None)
    second.answer()
    assert call.final().status == 200
    assert_stopped(first)
    call.bye()
    assert caller.leaks("101") == []
    assert story(office).legs == [("101", "487"), ("102", "200")]
    rang = ["in 101 answered elsewhere, 100", "in 102 answered, 100"]
    assert history(office).legs == [*rang, "out 200 answered"]


# Break: ring.cfg, NOBODY: passes on a 3xx.
def test_row_15_a_redirection_counts_as_declined(office):
    one, two, other, caller = office.phones("101", "102", "201", "200")
    call, legs = ring(caller, "100", one, two)
    legs[0].redirect("201")
    legs[0].wait_ack()
    assert legs[1].cancelled is None
    legs[1].decline(480)
    ended = call.final()
    assert ended.status == 480
    assert "Contact" not in ended.headers
    assert_quiet(other)
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.legs == [("101", "302"), ("102", "480")]
    assert history(office).call == ("in of 100", "200 calls 100", "not answered", "callee_refuse")
    assert history(office).legs == [
        "in 101 rejected, 100",
        "in 102 rejected, 100",
        "out 200 not answered",
    ]


# Break: rows.cfg, CHANGED: a blocked one's phones not dropped; call.cfg: status of the called not looked at.
@pytest.mark.parametrize("member", ["100", "102"])
def test_row_17_a_blocked_bundle_has_no_phones_and_is_not_reached(office, member):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    office.put_extension(member, status="blocked")
    office.until_unregistered(*BUNDLE)
    for number in ("100", "101"):
        assert caller.invite(number).final(timeout=1).status == 480
    assert_quiet(main, one, two)
    assert one.register().status == 403
    assert main.register().status == 403
    assert not any(map(office.registered, BUNDLE))
    told = stories(office, calls=2)
    assert [each.kinds for each in told] == [{"refused": 1}] * 2
    assert {each.one("refused")["code"] for each in told} == {"480"}
    assert {each.numbers("refused", "to", "to_main") for each in told} == {("100", "100"), ("101", "100")}
    for number, call in zip(("100", "101"), past(office, 2), strict=True):
        assert call.call == ("in of 100", f"200 calls {number}", "failed", "internal_cancel")
        assert call.legs == ["out 200 failed"]


# Break: modules.cfg: tm's `wt_timer` 1000.
def test_an_answer_reaches_the_caller_again_as_long_as_its_ack_gets_lost(office):
    callee, caller = office.phones("100", "200")
    callee.on_call = lambda leg: leg.answer()
    call = caller.invite("100", acks="none")
    caller.wait_for(lambda each: (each.status, each.call_id) == (200, call.call_id), times=4)  # for 3.5 s
    call.dialog.ack()
    assert callee.expect_invite().wait_ack()
    assert call.bye().status == 200
    assert story(office).kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert history(office).call == ("in of 100", "200 calls 100", "answered", "caller_bye")
