"""Behaviour table, calls from the outside: by a trunk, to a number that is bound to an extension."""

from base64 import b64decode

from parts import look, until
from sip.history import history, past
from sip.lines import E
from sip.story import story
from sip.test_to_the_bundle import BUNDLE, assert_quiet, assert_stopped, ring
from sqlalchemy import select

from peal.calls.tables import call_event

DATABASES = ("sqlite", "postgresql")


# Break: incoming.cfg, OF_TRUNK: returns at once.
def test_row_16_a_call_from_outside_rings_the_bundle_that_the_number_is_bound_to(office, outside):
    line, did = outside.line(), outside.number("100")
    main, one, two = office.phones(*BUNDLE)
    outside.settle()
    call, legs = ring(line.phone, did, main, one, two)
    assert {leg.caller.user for leg in legs} == {E}
    legs[1].answer()
    answer = call.final()
    assert (answer.status, answer.asserted_identity.user) == (200, "100")
    assert_stopped(legs[0])
    assert_stopped(legs[2])
    assert call.bye().status == 200
    assert line.phone.leaks("101") == []
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "to", "to_main", "dialled", "did") == (E, "100", "100", did, did)
    assert told.one("begin")["trunk"] == str(line.id)
    assert told.one("hangup")["ended_by"] == "caller"
    assert told.numbers("answer", "answered_by") == ("101",)
    assert told.legs == [("100", "487"), ("101", "200"), ("102", "487")]
    call = history(office)
    assert call.call == ("in of 100", f"{E} calls 100", "answered", "caller_bye")
    assert call.legs == [
        "in 100 answered elsewhere, 100",
        "in 101 answered, 100",
        "in 102 answered elsewhere, 100",
    ]
    assert (call.shown["did_number"], call.shown["ext_number_reg"]) == (did, did)
    assert {leg["did_number"] for leg in call.shown["cdr"]} == {did}


# Break: incoming.cfg, INCOMING: the row is that of the main extension, always.
def test_row_16_a_number_of_an_associated_extension_rings_only_that(office, outside):
    line, did = outside.line(), outside.number("101")
    main, one, two = office.phones(*BUNDLE)
    outside.settle()
    call, [leg] = ring(line.phone, f"+{did}", one)
    leg.decline(486)
    assert call.final().status == 486
    assert_quiet(main, two)
    told = story(office)
    assert told.numbers("begin", "to", "to_main", "did") == ("101", "100", did)
    assert told.numbers("hangup", "did", "code") == (did, "486")
    assert history(office).call == ("in of 100", f"{E} calls 101", "busy", "callee_refuse")
    assert history(office).legs == ["in 101 busy, 100"]


# Break: call.cfg, LIMIT: not counted without a row of the caller's.
def test_row_22_calls_from_outside_count(office, outside):
    line, did = outside.line(), outside.number("100")
    one, caller = office.phones("101", "200")
    office.put_phone("100", incoming_limit=1)
    outside.settle()
    call, [leg] = ring(line.phone, did, one)
    leg.answer()
    assert call.final().status == 200
    assert caller.invite("102").final().status == 486
    assert line.phone.invite(did).final().status == 486
    assert leg.bye().status == 200
    assert [each.call[1:3] for each in past(office, 3)] == [
        (f"{E} calls 100", "answered"),
        ("200 calls 102", "busy"),
        (f"{E} calls 100", "busy"),
    ]


# Break: incoming.cfg, CALLER: From alone.
def test_who_calls_is_who_the_trunk_says_and_a_forged_name_stays_text(office, outside):
    line, did = outside.line(), outside.number("200")
    callee = office.phone("200")
    outside.settle()
    headers = {"P-Asserted-Identity": "<sip:+74951112233@carrier.test>", "Diversion": "<sip:1@a.test>"}
    call = line.phone.invite(did, headers, from_display='Eve" <sip:100@pbx.test>;x="')
    leg = callee.expect_invite()
    assert (leg.caller.user, leg.invite.asserted_identity.user) == ("+74951112233", "+74951112233")
    assert leg.caller.uri == "sip:+74951112233@pbx.test"
    assert "Diversion" not in leg.invite.headers
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    told = story(office)
    for kind in ("begin", "answer", "hangup"):
        assert b64decode(told.one(kind)["from_name"]).decode() == leg.caller.display


# Break: call.cfg, SHOW: `$var(hidden)` stays 0.
def test_an_anonymous_caller_from_outside_stays_so(office, outside):
    line, did = outside.line(), outside.number("200")
    callee = office.phone("200")
    outside.settle()
    call = line.phone.invite(did, {"Privacy": "id", "P-Asserted-Identity": "<sip:74951112233@carrier.test>"})
    leg = callee.expect_invite()
    assert (leg.caller.uri, leg.invite.asserted_identity) == ("sip:anonymous@anonymous.invalid", None)
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    assert callee.leaks("74951112233") == []


def refusals(office):
    """Of all calls: one to a number that is bound to nobody is no extension's."""
    (rows,) = look(office.exchange.api.database, select(call_event.c.body))
    return [row["body"] for row in rows if row["body"]["type"] == "refused"]


# Break: incoming.cfg, INCOMING: an extension is looked for, too.
def test_a_trunk_reaches_nothing_but_numbers_that_are_bound(office, outside):
    line, unbound = outside.line(), outside.number()
    callee = office.phone("200")
    outside.settle()
    for number in ("200", office.user("200"), "112", "79169999999", "sip:200@elsewhere.test"):
        assert line.phone.invite(number).final().status == 404, number
    assert line.phone.invite(unbound).final().status == 480
    assert_quiet(callee)
    [told] = until(lambda: [event for event in refusals(office) if event.get("did") == unbound])
    assert (told["to"], told["from"], told["code"], told["domain"]) == (unbound, E, "480", "pbx.test")


# Break: incoming.cfg, INCOMING: `$avp(trunk)` is not looked at.
def test_a_clients_own_trunk_brings_calls_to_no_other_client(office, outside):
    own, of_other, common = (
        outside.line(),
        outside.line(of=office.exchange.api.tenant().id),
        outside.line(of=None),
    )
    callee, did = office.phone("200"), outside.number("200")
    outside.settle()
    assert of_other.phone.invite(did).final().status == 404
    assert_quiet(callee)
    for line in (own, common):
        call, [leg] = ring(line.phone, did, callee)
        leg.answer()
        assert call.final().status == 200
        assert call.bye().status == 200


# Break: incoming.cfg, SOURCE: networks are not looked through.
def test_a_trunk_is_known_by_its_networks_and_whoever_is_none_is_challenged(office, outside):
    callee, did = office.phone("200"), outside.number("200")
    phone, stranger = outside.network(), outside.network()
    network = phone.transport.local[0].rpartition(".")[0] + ".0/24"
    line = outside.line(networks=["203.0.113.0/24", network])
    outside.settle()
    assert line.phone.invite(did).final().status == 407  # its host is none of its networks
    assert stranger.invite(did).final().status == 407
    call, [leg] = ring(phone, did, callee)
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: incoming.cfg, OF_TRUNK: its first line.
def test_a_phone_at_a_trunks_address_is_a_phone(office, outside):
    line, callee = outside.line(), office.phone("200")
    outside.settle()
    phone = office.phone("101", bind=line.phone.transport.local[0])
    call, [leg] = ring(phone, "200", callee)
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: rows.cfg, CHANGED_LINE: returns at once.
def test_a_number_that_is_bound_elsewhere_rings_there_and_a_blocked_trunk_brings_nothing(office, outside):
    line, did = outside.line(), outside.number("200")
    before, after = office.phones("200", "201")
    outside.settle()
    end(*ring(line.phone, did, before))
    path = f"/client/@me/did/{outside.numbers[-1]}"
    office.tenant.api.put(path, json={"extension_id": office.ids["201"]})
    outside.settle()
    end(*ring(line.phone, did, after))
    office.tenant.api.put(path, json={"extension_id": None})
    outside.settle()
    assert line.phone.invite(did).final().status == 480
    outside.admin.put(f"/admin/trunk/{line.id}", json={"status": "blocked"})
    outside.settle()
    assert line.phone.invite(did).final().status == 407


def end(call, legs):
    call.cancel()
    assert call.final().status == 487
