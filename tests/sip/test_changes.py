"""Behaviour table, "Changes while calls are up"."""

import time

from parts import answers_until, look, until
from sip.exchange import SOON
from sip.history import over
from sqlalchemy import select

from peal.calls.tables import call_event

DATABASES = ("sqlite", "postgresql")


def talk(caller, number, phone):
    """Call a number; this phone answers."""
    call = caller.invite(number)
    leg = phone.expect_invite()
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    return call, leg


def events_of(office, kind):
    """The events of this kind of a client's calls."""
    prefix = office.tenant.client["prefix"] + "*"
    (rows,) = look(office.exchange.api.database, select(call_event.c.body))
    bodies = [row["body"] for row in rows]
    return [body for body in bodies if body["type"] == kind and body.get("from", "").startswith(prefix)]


def in_force(ask, wanted):
    """Ask again and again until a change is in force, for as long as it may take."""
    answers_until(wanted, ask, SOON)


# Break: rows.cfg, CHANGED: the row that is cached is not renewed.
def test_row_38_calls_after_a_change_of_the_bundle_follow_it_and_those_up_go_on(office):
    main, one, two, caller, other = office.phones("100", "101", "102", "200", "201")
    call = caller.invite("100")
    leg, *elsewhere = [phone.expect_invite() for phone in (one, main, two)]
    for each in (leg, *elsewhere):
        each.ring()
    caller.wait_for(lambda message: message.status == 180, times=3)  # no answer overtakes a ringing
    leg.answer()
    assert call.final().status == 200
    for each in elsewhere:
        each.wait_cancelled()
    path = f"/client/@me/extensions_bundle/{office.ids['100']}"

    def rung():
        """Who rings at a call to 100."""
        probe = other.invite("100")
        probe.wait(180)
        probe.cancel()
        probe.final()
        return {phone.user[-3:] for phone in phones if len(phone._legs)}

    phones = (main, one, two)
    for phone in phones:
        phone.on_call = lambda leg: leg.ring()
    assert office.tenant.api.post(path, json={"bundle_list": [office.ids["101"]]}).status_code == 201
    changed = time.monotonic()
    in_force(lambda: clear(phones) or rung(), {"100", "101"})
    assert time.monotonic() - changed <= SOON
    assert office.tenant.api.post(path, json={"bundle_list": []}).status_code == 201
    in_force(lambda: clear(phones) or rung(), {"100"})
    both = [office.ids["102"], office.ids["101"]]
    assert office.tenant.api.post(path, json={"bundle_list": both}).status_code == 201
    in_force(lambda: clear(phones) or rung(), {"100", "101", "102"})
    assert leg.reinvite(hold=True).status == 200
    assert call.bye().status == 200


def clear(phones):
    for phone in phones:
        phone._legs.clear()


# Break: events.cfg, PARTIES: `from_main` is the caller's own number.
def test_row_39_a_call_goes_on_as_it_began_when_its_phone_leaves_the_bundle(office):
    one, callee = office.phones("101", "200")
    call, leg = talk(one, "200", callee)
    path = f"/client/@me/extensions_bundle/{office.ids['100']}"
    assert office.tenant.api.post(path, json={"bundle_list": [office.ids["102"]]}).status_code == 201
    in_force(lambda: shown_by(one, callee), "101")
    before = len(callee.received)
    assert call.reinvite(hold=True).status == 200
    assert leg.info().status == 200
    assert call.bye().status == 200
    first = [m for m in callee.received[before:] if m.call_id == leg.invite.call_id]
    assert {m.address("From").user for m in first if m.method != "INFO"} == {"100"}
    ends = until(lambda: [body for body in events_of(office, "hangup") if "answered_at" in body])
    assert [(body["from"], body["from_main"]) for body in ends] == [(office.user("101"), office.user("100"))]
    [first] = [each for each in over(office) if each.shown["result"] == "answered"]
    assert first.call == ("in of 200", "100 calls 200", "answered", "caller_bye")
    assert first.legs == ["in 200 answered", "out 100 answered, 101"]


def shown_by(phone, callee):
    """Whom a new call shows."""
    call = phone.invite("200")
    leg = callee.expect_invite()
    leg.decline()
    call.final()
    return leg.caller.user


# Break: rows.cfg, CHANGED: the row that is cached is not renewed.
def test_row_40_a_phone_that_is_blocked_ends_its_call_and_gets_no_new_one(office):
    one, callee = office.phones("101", "200")
    call, leg = talk(one, "200", callee)
    office.put_extension("101", status="blocked")
    callee.on_call = lambda leg: leg.decline()
    in_force(lambda: one.invite("200").final().status, 403)
    refused = until(lambda: [each for each in over(office) if each.shown["result"] == "failed"])
    assert [each.call for each in refused] == [("out of 100", "100 calls 200", "failed", "internal_cancel")]
    assert refused[0].legs == ["out 100 failed, 101"]
    assert callee.invite("101").final().status == 480
    assert call.reinvite(hold=True).status == 200
    assert leg.info().status == 200
    assert leg.bye().status == 200
    assert call.wait_ended().method == "BYE"


# Break: rows.cfg, CHANGED: the phones are not dropped (no DROP_PHONES).
def test_row_41_a_new_password_drops_the_registration_and_the_old_one_is_refused(office):
    one, caller = office.phones("101", "200")
    office.passwords["101"] = office.put_phone("101", password="generate")["password"]
    office.until_unregistered("101")
    assert caller.invite("101").final().status == 480
    assert one.register().status == 401
    assert office.phone("101").register().status == 200
