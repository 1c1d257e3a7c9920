"""Which trunk takes a call to the outside, and what becomes of one that does not."""

import time

import pytest
from sip.history import all_over
from sip.lines import E, ask, proves
from sip.message import request
from sip.story import story, told_so_far
from sip.test_to_the_bundle import assert_quiet, ring

DATABASES = ("sqlite", "postgresql")


@pytest.fixture
def caller(office, outside):
    """A phone whose calls may go outside."""
    outside.show(outside.number())
    return office.phone("101")


def talk(call, leg):
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: outside.cfg, MY_TRUNKS: the common ones first.
def test_the_clients_own_trunks_come_first_by_priority_then_those_for_all(outside, caller):
    common = outside.line(of=None, priority=1)
    second, first = outside.line(priority=7), outside.line(priority=5)
    foreign = outside.line(of=outside.office.exchange.api.tenant().id, priority=0)
    outside.settle()
    call = caller.invite(E)
    for line in (first, second):
        line.phone.expect_invite().decline(503)
    leg = common.phone.expect_invite()
    talk(call, leg)
    assert_quiet(foreign.phone)
    told = story(outside.office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    legs = [(first, "503"), (second, "503"), (common, "200")]
    assert told.legs == sorted((f"trunk:{line.id}", code) for line, code in legs)
    assert told.one("hangup")["trunk"] == str(common.id)


# Break: trunks.cfg, TRUNK_FAILED: without `$avp(heard) == 0`.
def test_a_trunk_that_does_not_answer_gives_way_to_the_next(outside, caller):
    silent, next_one = outside.line(priority=1), outside.line(priority=2)
    silent.phone.dead = True
    called = time.monotonic()
    call = caller.invite(E)
    leg = next_one.phone.expect_invite()
    assert time.monotonic() < called + float(outside.office.exchange.settings["PEAL_TRUNK_SECONDS"]) + 1
    talk(call, leg)
    assert story(outside.office).legs == sorted(
        [(f"trunk:{silent.id}", "timeout"), (f"trunk:{next_one.id}", "200")]
    )


# Break: trunks.cfg, NEXT_TRUNK: 500 instead of 503.
def test_when_no_trunk_takes_it_the_caller_hears_503(outside, caller):
    one, silent = outside.line(), outside.line()
    silent.phone.dead = True
    call = caller.invite(E)
    one.phone.expect_invite().decline(500)
    assert call.final().status == 503
    told = story(outside.office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "503"


# Break: trunks.cfg, TRUNK_FAILED: every failure goes to the next trunk.
@pytest.mark.parametrize(("status", "heard"), [(486, 486), (404, 404), (603, 603), (302, 480)])
def test_the_answer_of_who_was_called_is_passed_on_and_no_other_trunk_tried(outside, caller, status, heard):
    line, other = outside.line(priority=1), outside.line(priority=2)
    call = caller.invite(E)
    leg = line.phone.expect_invite()
    leg.ring()
    leg.decline(status, {"Contact": "<sip:5@evil.test>"} if status == 302 else {})
    ended = call.final()
    assert (ended.status, "Contact" in ended.headers) == (heard, False)
    assert_quiet(other.phone)
    told = story(outside.office)
    assert told.one("hangup")["code"] == str(heard)
    assert told.legs == [(f"trunk:{line.id}", str(status))]


# Break: trunks.cfg, TO_TRUNK: without the line of `t_is_canceled`.
def test_a_call_given_up_while_it_goes_out_is_487_and_no_other_trunk_is_tried(outside, caller):
    first, second = outside.line(priority=1), outside.line(priority=2)
    for _ in range(100):  # a race
        call = caller.invite(E)
        call.cancel()
        assert call.final().status == 487
    ends = {
        (each.shown["result"], each.shown["hangup_disposition"]) for each in all_over(outside.office, 100)
    }
    assert ends == {("not answered", "caller_cancel")}
    told = told_so_far(outside.office)
    assert {each.one("hangup")["trunk"] for each in told} == {str(first.id)}
    assert_quiet(second.phone)


# Break: trunks.cfg, TRUNK_FAILED: without `uac_auth`; TRUNK_BEGINS: without AHEAD; TRUNK_SAYS: without
# NOT_AHEAD; dialog.cfg, OTHER_SIDE: without AHEAD, IN_DIALOG_REPLY: without NOT_AHEAD.
def test_a_trunk_that_asks_for_credentials_gets_them_and_the_call_goes_on(outside, caller):
    line = outside.line(login="line7", password="a secret", realm="carrier.test")
    call = caller.invite(E)
    first = line.phone.expect_invite()
    ask(first, "carrier.test")
    leg = line.phone.expect_invite()
    assert proves(leg.invite, "line7", "a secret")
    assert leg.invite.cseq == first.invite.cseq + 1
    leg.answer()
    final = call.final()
    assert (final.status, final.cseq) == (200, first.invite.cseq)
    assert leg.wait_ack().cseq == leg.invite.cseq
    changed = call.reinvite()
    again = [m for m in line.phone.received if m.method == "INVITE" and m.tag("To")]
    assert again[-1].cseq == leg.invite.cseq + 1
    assert (changed.status, changed.cseq) == (200, leg.invite.cseq)
    assert leg.reinvite().status == 200
    ended = call.bye()
    bye = next(m for m in line.phone.received if m.method == "BYE")
    assert bye.cseq == again[-1].cseq + 1
    assert (ended.status, ended.cseq) == (200, again[-1].cseq)
    assert story(outside.office).kinds == {"begin": 1, "answer": 1, "hangup": 1}


# Break: trunks.cfg, TRUNK_FAILED: without `$avp(proved)`.
@pytest.mark.parametrize("realm", ["carrier.test", "another.test"])
def test_a_trunk_that_does_not_take_our_credentials_gives_way_and_an_alarm_says_why(outside, caller, realm):
    line = outside.line(login="line7", password="a secret", realm="carrier.test", priority=1)
    other = outside.line(priority=2)
    line.phone.on_call = lambda leg: ask(leg, realm)
    call = caller.invite(E)
    leg = other.phone.expect_invite()
    assert "Proxy-Authorization" not in leg.invite.headers
    talk(call, leg)
    tried = [m for m in line.phone.received if request("INVITE")(m) and not m.duplicate]
    assert len(tried) == (2 if realm == "carrier.test" else 1)
    log = outside.office.exchange.log.read_text()
    assert (f"alarm: trunk {line.id} asks for another realm" in log) == (realm == "another.test")


# Break: rows.cfg, CHANGED_LINE: returns at once.
def test_a_change_of_trunks_is_in_force_soon(outside, caller):
    one, two = outside.line(priority=1), outside.line(of=None)
    outside.settle()
    call, [leg] = ring(caller, E, one.phone)
    talk(call, leg)
    outside.admin.put(f"/admin/trunk/{one.id}", json={"status": "blocked"})
    outside.settle()
    call, [leg] = ring(caller, E, two.phone)
    talk(call, leg)


def registrar(line, realm="carrier.test"):
    """Let the network take registrations that prove their password; return those that it took."""
    taken = []

    def take(incoming):
        request = incoming.request
        if "Authorization" not in request.headers:
            nonce = f'Digest realm="{realm}", nonce="a1b2c3", qop="auth"'
            incoming.reply(401, {"WWW-Authenticate": nonce})
        elif proves(request, "line7", "a secret", "Authorization"):
            taken.append(request)
            incoming.reply(200, {"Contact": request.headers["Contact"] + ";expires=600"})
        else:
            incoming.reply(403)

    line.phone.policies["REGISTER"] = take
    return taken


# Break: rows.cfg, POLL_PAGE: without TRUNKS_CHANGED; incoming.cfg, INCOMING: without the line of `trunk-`.
def test_the_switch_registers_at_a_trunk_and_is_called_at_its_contact(outside, office):
    line = outside.line(login="line7", realm="carrier.test", password="a secret")
    taken, callee, did = registrar(line), office.phone("200"), outside.number("200")
    outside.admin.put(f"/admin/trunk/{line.id}", json={"register": True})
    line.phone.wait(lambda: taken, 10, "a registration")
    first = taken[0]
    assert (first.uri_user("To"), first.uri_user("Contact")) == ("line7", f"trunk-{line.id}")
    outside.settle()
    contact = first.address("Contact").uri.partition(";")[0]
    call = line.phone.invite(contact, {"To": f"<sip:+{did}@carrier.test>"})
    leg = callee.expect_invite()
    assert leg.caller.user == E
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    before = len(taken)
    outside.admin.put(f"/admin/trunk/{line.id}", json={"priority": 1})
    outside.settle()
    assert len(taken) == before  # nothing of it has changed
