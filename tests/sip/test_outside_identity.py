"""What a trunk is told of who calls, and by which ways it is reached."""

import pytest
from sip.history import history
from sip.lines import E
from sip.test_to_the_bundle import ring


def talk(call, leg):
    leg.answer()
    assert call.final().status == 200
    assert leg.info().status == 200
    assert call.reinvite().status == 200
    assert call.bye().status == 200


# Break: call.cfg, SHOW: without `$avp(outside) == 1`.
def test_row_30_who_asks_for_privacy_is_anonymous_to_all_but_the_trunk(office, outside):
    line, own, caller = outside.line(), outside.number(), office.phone("101")
    outside.show(own)
    call = caller.invite(E, {"Privacy": "id"})
    leg = line.phone.expect_invite()
    assert leg.caller.uri == "sip:anonymous@anonymous.invalid"
    assert (leg.invite.asserted_identity.user, leg.invite.headers["Privacy"]) == (own, "id")
    talk(call, leg)
    assert line.phone.leaks("101") == []
    assert history(office).call == ("out of 100", f"100 calls {E}", "answered", "caller_bye")
    assert history(office).legs == ["out 100 answered, 101"]


# Break: call.cfg, DRESS: without WHITELIST.
@pytest.mark.parametrize(
    "header", ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Diversion", "Referred-By"]
)
def test_row_29_a_forged_identity_never_reaches_a_trunk(office, outside, header):
    line, own, caller = outside.line(), outside.number(), office.phone("101")
    outside.show(own)
    call = caller.invite(E, {header: "<sip:74990000000@carrier.test>"}, from_display="Bank")
    leg = line.phone.expect_invite()
    assert (leg.caller.user, leg.caller.display, leg.invite.asserted_identity.user) == (own, "", own)
    talk(call, leg)
    assert line.phone.leaks("74990000000") == []
    assert line.phone.leaks("Bank") == []
    assert history(office).call == ("out of 100", f"100 calls {E}", "answered", "caller_bye")
    assert history(office).shown["from_screen_name"] == "Name 100"


# Break: rows.cfg, CHANGED_LINE: returns at once.
def test_another_number_to_show_is_in_force_soon(office, outside):
    line, first, second, third = outside.line(), *(outside.number() for _ in range(3))
    caller = office.phone("101")
    outside.show(first)
    for number, extension in ((second, None), (third, "100")):
        call, [leg] = ring(caller, E, line.phone)
        shown = leg.caller.user
        talk(call, leg)
        outside.show(number, extension)
        outside.settle()
        assert shown == (first if extension is None else second)
    call, [leg] = ring(caller, E, line.phone)
    assert leg.caller.user == third
    talk(call, leg)


# Break: trunks.cfg, NEXT_TRUNK: without `;transport=`.
def test_a_trunk_may_speak_tcp(office, outside):
    line, caller = outside.line(transport="tcp"), office.phone("101")
    outside.show(outside.number())
    call, [leg] = ring(caller, E, line.phone)
    assert leg.invite.headers["Via"].startswith("SIP/2.0/TCP")
    talk(call, leg)


# Break: trunks.cfg, NEXT_TRUNK: `route(TO_TRUNK); return;`.
def test_the_host_of_a_trunk_may_be_a_name_and_one_that_does_not_exist_gives_way(office, outside):
    nowhere = outside.line(host="nowhere.invalid", priority=1)
    line, caller = outside.line(host="localhost", bind="127.0.0.1", priority=2), office.phone("101")
    outside.show(outside.number())
    call, [leg] = ring(caller, E, line.phone)
    assert [m for m in nowhere.phone.received if m.is_request] == []
    talk(call, leg)
