"""Behaviour table, "Calls from the bundle": what the other side sees of the phone that calls."""

import pytest
from sip import sdp
from sip.exchange import DOMAIN
from sip.history import history
from sip.story import story
from sip.test_changes import talk

FORGED = {
    "P-Asserted-Identity": '"Boss" <sip:666@pbx.test>',
    "P-Preferred-Identity": "<sip:666@pbx.test>",
    "Remote-Party-ID": '"Boss" <sip:666@pbx.test>;party=calling',
    "Diversion": "<sip:666@pbx.test>;reason=unconditional",
    "History-Info": "<sip:666@pbx.test>;index=1",
    "Referred-By": "<sip:666@pbx.test>",
}


def telling(office, number, **options):
    """A phone that tells its number wherever it can."""
    phone = office.phone(number, **options)
    phone.agent = f"Desk phone of {number}"
    phone.via_mark = f";ext={number};branch-of={number}"
    phone.branch_mark = f"-{number}-"
    own = f"<sip:{number}@{DOMAIN}>"
    phone.extra = {
        "Server": f"Phone {number}",
        "Subject": f"from {number}",
        "Organization": number,
        "Reply-To": own,
        "Remote-Party-ID": own,
        "P-Preferred-Identity": own,
        "P-Asserted-Identity": own,
        "Call-Info": own,
        "X-Extension": number,
        "Warning": f'399 {number} "{number}"',
    }
    phone.sdp_extra = (
        f"i=Phone {number}",
        f"u=http://{number}.test/",
        f"e={number}@pbx.test",
        f"p=+1 {number}",
        f"a=tool:Phone {number}",
        f"a=ssrc:1 cname:{number}@pbx.test",
    )
    return phone


def tell_all(call, leg):
    """All that may be said inside a call, by either side; each request is accepted."""
    for side in (call, leg):
        assert side.reinvite(hold=True).status == 200
        assert side.reinvite().status == 200
        assert side.update().status == 200
        assert side.info().status == 200
        assert side.options().status == 200


def bye_by_caller(office, call, leg):
    assert call.bye().status == 200
    assert leg.wait_ended().method == "BYE"


def bye_by_callee(office, call, leg):
    assert leg.bye().status == 200
    assert call.wait_ended().method == "BYE"


# Break: hide.cfg: without a line of HIDE_IN_SDP; without HIDE_VIA; User-Agent in the list of WHITELIST.
@pytest.mark.parametrize("end", [bye_by_caller, bye_by_callee])
def test_row_27_a_call_from_an_associated_phone_shows_the_main_extension_and_nothing_of_the_phone(
    office, end
):
    one, callee = telling(office, "101"), office.phone("200")
    call = one.invite("200")
    leg = callee.expect_invite()
    assert (leg.caller.user, leg.caller.display) == ("100", "Name 100")
    shown = leg.invite.asserted_identity
    assert (shown.user, shown.display) == ("100", "Name 100")
    assert leg.invite.address("Contact").user == "100"
    leg.ring()
    call.wait(180)
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    tell_all(call, leg)
    end(office, call, leg)
    assert callee.leaks("101") == []
    assert not [line for word in ("vsf=", "vst=") for line in leaks_of(callee, word)]
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("hangup", "from", "from_main", "to", "to_main") == ("101", "100", "200", "200")
    assert told.numbers("answer", "answered_by") == ("200",)
    assert told.legs == [("200", "200")]
    by = {bye_by_caller: "caller_bye", bye_by_callee: "callee_bye"}
    assert history(office).call == ("in of 200", "100 calls 200", "answered", by[end])
    assert history(office).legs == ["in 200 answered", "out 100 answered, 101"]
    assert history(office).shown["from_screen_name"] == "Name 100"


# Break: request.cfg: without `t_check_trans` in `reply_route`.
def test_row_27_an_answer_repeated_when_the_switch_has_forgotten_it_goes_nowhere(office, exchange):
    one, caller = office.phones("101", "200")
    one.on_call = lambda leg: leg.answer()
    call = caller.invite("100")
    assert call.final().status == 200
    assert call.bye().status == 200
    exchange.until_idle()
    before = len(caller.received)
    [answer] = [each for each in one.sent if (each.status, each.method) == (200, "INVITE")]
    one.send_raw(answer.encode())
    caller.settle()
    assert [each.summary for each in caller.received[before:] if each.method != "OPTIONS"] == []


# Break: call.cfg, NO_ROUTES: without one of its lines.
def test_row_27_a_phone_is_no_proxy_its_routes_go_nowhere(office):
    one, callee = office.phones("101", "200")
    routes = {"Record-Route": f"<sip:101@{DOMAIN};lr>", "Route": f"<sip:101@{DOMAIN};lr>"}
    call = one.invite("200", headers=routes)
    leg = callee.expect_invite()
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    assert leg.bye().status == 200
    assert callee.leaks("101") == []


def leaks_of(phone, text):
    return [str(message) for message in phone.received if text in str(message)]


# Break: dialog.cfg, OTHER_SIDE: without SHOW_FROM.
def test_row_27_nor_does_the_phone_that_answers_show_what_it_is(office):
    one, caller = telling(office, "101"), office.phone("200")
    call, leg = talk(caller, "100", one)
    tell_all(call, leg)
    assert (
        leg.reinvite(headers={"From": f'"Name 101" <sip:101@pbx.test>;tag={leg.dialog.id[1]}'}).status == 200
    )
    assert leg.bye().status == 200
    assert caller.leaks("101") == []


NAMES = {
    "caller_id_name": ({"caller_id_name": "Caller's name"}, "Phone's label", "Caller's name"),
    "the phone's label": ({}, "Phone's label", "Phone's label"),
    "the extension's label": ({}, None, "Extension's label"),
    "the number": ({"label": None}, None, "100"),
    "in any script": ({"caller_id_name": "Zoë Łódź 东京"}, None, "Zoë Łódź 东京"),
    "with quotes": ({"caller_id_name": 'The "Boss" \\ <sip:101@x>|'}, None, "The 'Boss' / <sip:101@x>/"),
}


# Break: 0002_switch.py, `_name("m...`: any one of its columns left out.
@pytest.mark.parametrize(("fields", "label", "wanted"), NAMES.values(), ids=NAMES.keys())
def test_row_27_the_name_is_the_main_extensions(office, fields, label, wanted):
    office.put_extension("100", **{"label": "Extension's label"} | fields)
    office.put_phone("100", label=label)
    office.put_extension("101", caller_id_name="Nobody's name")
    one, callee = office.phones("101", "200")
    call, leg = talk(one, "200", callee)
    assert leg.caller.display == wanted
    assert leg.invite.asserted_identity.display == wanted
    assert call.bye().status == 200
    [bye] = [each for each in callee.received if each.method == "BYE" and not each.duplicate]
    assert bye.address("From").user == "100"
    assert "Nobody" not in "".join(map(str, callee.received))


# Break: hide.cfg, WHITELIST: one of these headers added to the list.
@pytest.mark.parametrize(
    "user", ["666", "anonymous", None], ids=["forged From", "anonymous From", "own From"]
)
def test_row_29_a_forged_identity_never_arrives(office, user):
    one, callee = office.phones("101", "200")
    call = one.invite("200", headers=FORGED, from_user=user, from_display="Boss")
    leg = callee.expect_invite()
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    forged = FORGED | {"From": f'"Boss" <sip:666@pbx.test>;tag={call.dialog.id[1]}'}
    assert call.reinvite(headers=forged).status == 200
    assert call.update(headers=forged).status == 200
    assert call.info().status == 200
    assert call.bye(headers=forged).status == 200
    assert callee.leaks("666") == callee.leaks("Boss") == callee.leaks("101") == []
    for name in ("P-Preferred-Identity", "Remote-Party-ID", "Diversion", "History-Info", "Referred-By"):
        assert not [message for message in callee.received if name in message.headers]
    wanted = "anonymous" if user == "anonymous" else "100"
    asked = [message for message in callee.received if message.is_request and message.call_id == call.call_id]
    assert {message.address("From").user for message in asked} == {wanted}
    assert story(office).numbers("hangup", "from", "from_main") == ("101", "100")
    assert history(office).call == ("in of 200", "100 calls 200", "answered", "caller_bye")
    assert history(office).shown["from_screen_name"] == "Name 100"


# Break: call.cfg, SHOW: `$avp(hidden)` stays 0.
@pytest.mark.parametrize("asked", ["Privacy: id", "anonymous From"])
def test_row_30_who_asks_to_be_anonymous_is_but_not_to_us(office, asked):
    one, callee = office.phones("101", "200")
    anonymous = {"from_uri": "sip:anonymous@anonymous.invalid", "from_display": "Anonymous"}
    call = one.invite("200", **({"headers": {"Privacy": "id"}} if asked == "Privacy: id" else anonymous))
    leg = callee.expect_invite()
    assert (leg.caller.uri, leg.caller.display) == ("sip:anonymous@anonymous.invalid", "Anonymous")
    assert leg.invite.asserted_identity is None
    assert leg.invite.headers["Privacy"] == "id"
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    tell_all(call, leg)
    assert call.bye().status == 200
    assert callee.leaks("101") == []
    assert [line for line in callee.leaks("100") if "SIP/2.0 100" not in line] == []
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "from_main", "to") == ("101", "100", "200")
    assert history(office).call == ("in of 200", "100 calls 200", "answered", "caller_bye")
    assert history(office).legs == ["in 200 answered", "out 100 answered, 101"]


# Break: dialog.cfg, OTHER_SIDE: without a line of `$avp(peer)`.
@pytest.mark.parametrize("end", [bye_by_caller, bye_by_callee])
def test_row_31_later_in_the_call_all_works_and_the_identities_stay(office, end):
    one, callee = office.phones("101", "200")
    call, leg = talk(one, "200", callee)
    first = {phone: len(phone.received) for phone in (one, callee)}
    timer = {"Session-Expires": "90;refresher=uac", "Min-SE": "90", "Supported": "timer"}
    for side, other in ((call, callee), (leg, one)):
        assert side.reinvite(hold=True).status == 200
        held = other.expect("INVITE").request
        assert sdp.direction(held.body) == "sendonly"
        assert side.reinvite().status == 200
        assert sdp.direction(other.expect("INVITE").request.body) == "sendrecv"
        assert side.reinvite("").status == 200  # without an offer: the answer offers, the ACK answers
        assert side.update(other.offer()).status == 200
        assert side.info().status == 200
        assert other.expect("INFO").request.body == "Signal=5\r\nDuration=160\r\n"
        for refresh in (side.update, side.reinvite):
            assert refresh(headers=timer).status == 200
        heard = [message for message in other.received if not message.duplicate]
        told = [message for message in heard if "Session-Expires" in message.headers]
        assert [message.method for message in told if message.is_request] == ["UPDATE", "INVITE"]
        assert {message.headers["Min-SE"] for message in told} == {"90"}
    end(office, call, leg)
    later = [message for message in callee.received[first[callee] :] if message.call_id == call.call_id]
    assert {shown(message, "100") for message in later} == {("100", "200", "100")}
    to_one = [message for message in one.received[first[one] :] if message.call_id == call.call_id]
    assert {shown(message, "200") for message in to_one} == {(office.user("101"), "200", "200")}
    assert story(office).kinds == {"begin": 1, "answer": 1, "hangup": 1}


def shown(message, other):
    """Caller, called, and the number in the Contact, where there is one, of a message of the call."""
    ends = sorted([message.address("From").user, message.address("To").user], key="200".__eq__)
    contact = message.address("Contact").user if "Contact" in message.headers else other
    return (*ends, contact)


# Break: ring.cfg, RUNG: no KNOW_LEG for reliable ringing.
def test_row_31_a_reliable_ringing_is_confirmed_and_updated_before_the_answer(office):
    one, callee = office.phones("101", "200")
    call = one.invite("200", headers={"Supported": "100rel"})
    leg = callee.expect_invite()
    leg.ring(183, sdp=None, reliable=True)
    leg.wait_pracked()
    prack = callee.expect("PRACK").request
    assert prack.uri == callee.contact
    assert prack.address("From").user == "100"
    assert call.dialog.send("UPDATE", body=one.offer()).wait().status == 200
    update = callee.expect("UPDATE").request
    assert (update.uri, update.address("From").user) == (callee.contact, "100")
    assert leg.dialog.send("UPDATE", body=callee.offer()).wait().status == 200
    assert one.expect("UPDATE").request.uri == one.contact
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    assert callee.leaks("101") == []


# Break: events.cfg, PARTIES: `from_main` is the caller's own number.
def test_row_34_the_events_of_a_call_from_an_associated_phone_name_the_main_extension_and_the_phone(office):
    one, callee = office.phones("101", "200")
    call, _ = talk(one, "200", callee)
    assert call.bye().status == 200
    told = story(office)
    for kind in ("begin", "answer", "hangup"):
        assert told.numbers(kind, "from", "from_main", "to", "to_main") == ("101", "100", "200", "200")
        assert told.one(kind)["domain"] == DOMAIN
    assert history(office).legs == ["in 200 answered", "out 100 answered, 101"]
    [out] = [leg for leg in history(office).shown["cdr"] if leg["flow"] == "out"]
    assert out["extension_id"] == office.ids["100"]
    assert out["bundle_info"].split(";")[:2] == [str(office.ids["101"]), "101"]


# Break: dialog.cfg, OTHER_SIDE: without OVERTAKEN.
def test_row_27_an_ack_that_the_bye_overtakes_shows_the_main_extension_too(office):
    """Of so many calls that are hung up at once a few are: the switch has several processes."""
    caller, callee = office.phones("101", "200")
    callee.on_call = lambda leg: leg.answer()
    for _ in range(200):
        call = caller.invite("200", wait=True)
        assert call.final().status == 200
        assert call.bye().status == 200
    assert callee.leaks("*101") + callee.leaks("Phone 101") == []
