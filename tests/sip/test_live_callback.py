"""Callbacks: the switch rings an extension; the phone that picks up is brought to a number."""

import httpx
import pytest
from parts import until
from sip.exchange import Office
from sip.history import over, past
from sip.lines import E
from sip.live import current, end, path, until_listed
from sip.message import request
from sip.policy import follow_refer, leave, refuse
from sip.story import stories, story
from sip.test_to_the_bundle import BUNDLE, assert_given_up


def call_back(office: Office, number: str, *rung: str, to: str = "200", **more) -> httpx.Response:
    body = {"src_num": rung or [number], "dst_num": to} | more
    return office.tenant.api.post(f"/extension/{office.ids[number]}/callback/", json=body)


@pytest.fixture
def limited(office):
    """The bundle takes one call at a time."""
    office.put_phone("100", incoming_limit=1)


@pytest.fixture
def bundle(office):
    """100, 101 and 102, which follow transfers."""
    phones = office.phones(*BUNDLE)
    for each in phones:
        each.policies["REFER"] = follow_refer
    return phones


# Break: callback.cfg, CALLED_BACK: without `$avp(call)`; events.cfg, dialog:start: nothing into "answered".
def test_the_bundle_rings_and_who_picks_up_is_brought_to_the_number(office, bundle):
    [callee] = office.phones("200")
    answer = call_back(office, "100", caller_id_name='Mrs "X"')
    assert answer.status_code == 201
    made = answer.json()
    legs = [phone.expect_invite() for phone in bundle]
    for leg in legs:
        assert (leg.caller.user, leg.caller.display) == ("200", "Mrs X")
        assert "a=inactive" in leg.invite.body
        assert [name for name, _ in leg.invite.headers if name.startswith("Peal")] == []
        leg.ring()
    listed = until_listed(office, "100")
    assert {name: listed[name] for name in made if name in listed} == {"call_api_id": made["call_api_id"]}
    legs[1].answer()
    for leg in (legs[0], legs[2]):
        assert "cause=200" in leg.wait_cancelled().headers["Reason"]
    assert bundle[1].expect("REFER").request.address("Refer-To").uri == "sip:200@pbx.test"
    talk = callee.expect_invite()
    assert (talk.caller.user, talk.caller.display) == ("100", "Name 100")
    talk.answer()
    new_call = bundle[1].wait_followed()
    assert new_call.final().status == 200
    assert legs[1].wait_ended().method == "BYE"
    assert new_call.update().status == 200
    assert talk.bye().status == 200
    assert callee.leaks("101") == []
    [call] = past(office, calls=1, told=2)
    assert call.shown["call_uuid"] == made["call_id"]
    assert call.call == ("in of 100", "200 calls 100", "answered", "callee_bye")
    assert call.legs == [
        "in 100 answered elsewhere, 100",
        "in 101 answered, 100",
        "in 102 answered elsewhere, 100",
        "in 200 answered",
        "out 100 answered, 101",
    ]


# Break: ring.cfg, PHONES: without `takes`; callback.py, rung: `only` empty.
@pytest.mark.parametrize(
    ("of", "rung", "rings"), [("101", ["101"], [1]), ("100", ["102"], [2]), ("100", ["101", "102"], [1, 2])]
)
def test_only_the_numbers_wanted_ring(office, bundle, of, rung, rings):
    assert call_back(office, of, *rung).status_code == 201
    legs = [bundle[place].expect_invite() for place in rings]
    legs[0].decline(603)
    story(office)
    silent = [phone for place, phone in enumerate(bundle) if place not in rings]
    assert [message for phone in silent for message in phone.received if message.method == "INVITE"] == []


def test_to_a_number_outside(office, outside, bundle):
    line = outside.line()
    outside.show(outside.number())
    outside.settle()
    assert call_back(office, "100", to=E, caller_id_number="700").status_code == 201
    leg = bundle[1].expect_invite()
    assert leg.caller.user == "700"
    leg.answer()
    line.phone.expect_invite().answer()
    new_call = bundle[1].wait_followed()
    assert new_call.final().status == 200
    assert leg.wait_ended().method == "BYE"
    assert new_call.bye().status == 200


# Break: refer.cfg, CAN_NOT_FOLLOW: `return` at its begin.
@pytest.mark.parametrize("way", ["refuses", "busy", "no such number"])
def test_where_the_phone_is_not_brought_there_its_call_ends(office, bundle, way):
    [callee] = office.phones("200")
    callee.on_call = lambda leg: leg.decline(486)
    if way == "refuses":
        bundle[1].policies["REFER"] = refuse(405)
    assert call_back(office, "100", to="299" if way == "no such number" else "200").status_code == 201
    leg = bundle[1].expect_invite()
    leg.answer()
    assert leg.wait_ended().method == "BYE"
    told = stories(office, 1 if way == "refuses" else 2)
    assert sum(each.kinds["answer"] for each in told) == 1
    until(lambda: current(office) == [])
    assert over(office)


# Break: dialog.cfg, IN_DIALOG: without OURS.
def test_who_picks_up_may_hang_up_at_once_and_ask_for_media(office, bundle):
    bundle[1].policies["REFER"] = leave
    assert call_back(office, "100").status_code == 201
    leg = bundle[1].expect_invite()
    leg.answer()
    bundle[1].expect("REFER")
    assert leg.reinvite().status == 200
    assert leg.options().status == 200
    assert leg.update(sdp="v=0\r\n").status == 488
    assert leg.refer("201").status == 403
    assert leg.bye().status == 200
    assert story(office).one("hangup")["ended_by"] == "callee"
    until(lambda: current(office) == [])


def test_a_callback_that_rings_is_ended(office, bundle):
    assert call_back(office, "100").status_code == 201
    legs = [phone.expect_invite() for phone in bundle]
    for leg in legs:
        leg.ring()
    assert end(office, "100", until_listed(office, "100")).status_code == 204
    for leg in legs:
        assert_given_up(leg)
    assert story(office).one("hangup")["ended_by"] == "switch"


# Break: call.cfg, LIMIT: `takes` instead of `moves`; callback.py, rung: `short` with repeats.
def test_a_limit_holds_for_a_callback_and_who_is_named_twice_rings_once(office, limited, bundle):
    [caller] = office.phones("200")
    assert call_back(office, "100", "102", "102", f"{office.user('102')}").status_code == 201
    leg = bundle[2].expect_invite()
    assert [each for each in bundle[2].received if request("INVITE")(each) and not each.duplicate] == [
        leg.invite
    ]
    leg.decline(603)
    story(office)
    talking = caller.invite("101")
    bundle[1].expect_invite().answer()
    assert talking.final().status == 200
    before = len(bundle[2].received)
    assert call_back(office, "100", "102", to="201").status_code == 201
    refused = until(lambda: [each for each in over(office) if each.shown["result"] == "busy"])
    assert [each.call[1] for each in refused] == ["201 calls 100"]
    assert len(bundle[2].received) == before
    assert talking.bye().status == 200


# Break: refer.cfg, SEND_REFER: without `$uac_req(all)`.
def test_a_transfer_after_a_callback_carries_nothing_of_it(office, bundle):
    [colleague] = office.phones("200")
    colleague.policies["REFER"] = refuse(405)
    for _ in range(4):  # of several processes each has sent one
        assert call_back(office, "100", "102").status_code == 201
        bundle[2].expect_invite().decline(603)
    call = colleague.invite("101")
    bundle[1].expect_invite().answer()
    assert call.final().status == 200
    listed = until_listed(office, "101", answered=True)
    for _ in range(4):
        answer = office.tenant.api.put(
            path(office, "101", listed), json={"action": "transfer", "send_dst": "201"}
        )
        assert answer.status_code == 409
        asked = colleague.expect("REFER").request
        assert (asked.body, "Content-Type" in asked.headers, "Peal" in asked.encode().decode()) == (
            "",
            False,
            False,
        )
    assert call.bye().status == 200


# Break: refer.cfg, CAN_NOT_FOLLOW, and events.cfg, OVER: without WAITS_NO_MORE.
def test_a_call_after_a_callback_that_failed_is_an_ordinary_one(office, bundle):
    bundle[1].policies["REFER"] = refuse(405)
    [callee] = office.phones("200")
    assert call_back(office, "100", "101", call_duration=1).status_code == 201
    leg = bundle[1].expect_invite()
    leg.answer()
    assert leg.wait_ended().method == "BYE"
    call = bundle[1].invite("200")
    callee.expect_invite().answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    assert [each.one("begin").get("transfer") for each in stories(office, 2)] == [None, None]


# Break: callback.cfg: without `ring_ms`; transfer.cfg, TRANSFERRED: without `longest`.
def test_how_long_it_rings_and_talks(office, bundle):
    [callee] = office.phones("200")
    assert call_back(office, "101", wait_for_pickup=1).status_code == 201
    bundle[1].expect_invite().wait_cancelled()
    assert story(office).one("hangup")["code"] == "480"
    assert call_back(office, "101", call_duration=1).status_code == 201
    leg = bundle[1].expect_invite()
    leg.answer()
    talk = callee.expect_invite()
    talk.answer()
    new_call = bundle[1].wait_followed()
    assert new_call.final().status == 200
    assert leg.wait_ended().method == "BYE"
    assert talk.wait_ended(15).method == new_call.wait_ended(15).method == "BYE"


def test_what_can_not_be_rung_says_so(office):
    assert call_back(office, "100").json()["status"] == "not_transferable"  # nobody is registered
    office.phones("100", "101")
    for of, rung, field in (("100", ["200"], "src_num"), ("101", ["100"], "src_num"), ("100", [], "src_num")):
        answer = office.tenant.api.post(
            f"/extension/{office.ids[of]}/callback/", json={"src_num": rung, "dst_num": "200"}
        )
        assert answer.status_code == 400
        assert field in answer.json()["message"]
    for body, field in (
        ({"dst_num": "2 00"}, "dst_num"),
        ({"call_duration": -1}, "call_duration"),
        ({"caller_id_number": "a b"}, "caller_id_number"),
        ({"caller_id_name": "a\nb"}, "caller_id_name"),
    ):
        answer = (
            call_back(office, "100", **body) if "dst_num" not in body else call_back(office, "100", to="2 00")
        )
        assert answer.status_code == 400
        assert field in answer.json()["message"]


# Break: callback.cfg, CALLED_BACK: without its first line.
def test_a_phone_can_not_pretend_to_be_the_switch(office):
    one, two = office.phones("101", "200")
    call = two.invite("101", headers={"Peal-Callback": "x"})
    assert call.final().status == 403
    assert [message for message in one.received if message.method == "INVITE"] == []
