"""Calls that end with their switch: their end is told all the same."""

from parts import until
from sip.history import EVER
from sip.live import current, until_listed
from sip.test_changes import talk
from sip.test_restart import kill, until_kept
from sip.test_to_the_bundle import BUNDLE, ring


def closed(office):
    answer = office.tenant.api.get("/client/@me/call_history/", params=EVER)
    return [
        each for each in answer.json()["call_history"] if each["hangup_cause"] == "RECOVERY_ON_TIMER_EXPIRE"
    ]


# Break: lost.py, look: without `_tell`; _find: all that go on.
def test_a_call_that_rang_when_the_switch_was_killed_is_closed_and_one_that_talked_goes_on(office, exchange):
    main, one, two, caller, other = office.phones(*BUNDLE, "200", "201")
    call, _ = talk(other, "101", one)
    until_kept(exchange, call)
    ring(caller, "100", main, one, two)
    until_listed(office, "200")
    kill(exchange)
    [lost] = until(lambda: closed(office), 25)
    assert (lost["result"], lost["hangup_disposition"]) == ("not answered", "internal_cancel")
    assert [each["extension_id"] for each in current(office, "201")] == [office.ids["201"]]
    assert current(office, "200") == []
    assert call.bye().status == 200
    until(lambda: current(office) == [])
    assert len(closed(office)) == 1


# Break: lost.py, run: returns at once.
def test_a_call_that_rang_when_switch_and_intake_were_killed_is_closed(office, exchange):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    ring(caller, "100", main, one, two)
    until_listed(office, "200")
    exchange.kill_switch()
    exchange.start()
    [lost] = until(lambda: closed(office), 25)
    assert lost["hangup_disposition"] == "internal_cancel"
    assert {leg["result"] for leg in lost["cdr"]} == {"not answered"}
