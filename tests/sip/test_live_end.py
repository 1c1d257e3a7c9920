"""What the API does with calls that ring or talk: `DELETE` ends them."""

import pytest
from parts import until
from sip.exchange import DOMAIN
from sip.history import history
from sip.live import current, end, path, until_listed
from sip.story import story
from sip.test_changes import talk
from sip.test_restart import kill, until_kept
from sip.test_to_the_bundle import BUNDLE, assert_given_up, ring


# Break: live.cfg, HANG_UP: `dlg_bye` for a call that rings, too; events.cfg, dialog:failed: without `ended`.
@pytest.mark.parametrize("number", ["101", "200"])
def test_a_call_that_rings_is_ended(office, number):
    main, one, two, caller = office.phones(*BUNDLE, "200")
    call, legs = ring(caller, "100", main, one, two)
    listed = until_listed(office, number)
    answer = end(office, number, listed)
    assert (answer.status_code, answer.content) == (204, b"")
    for leg in legs:
        assert_given_up(leg)
    assert call.final().status == 487
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["ended_by"] == "switch"
    assert told.legs == [(each, "487") for each in BUNDLE]
    assert history(office).shown["hangup_disposition"] == "internal_cancel"
    until(lambda: current(office) == [])
    assert end(office, number, listed).status_code == 404


# Break: live.cfg, HANG_UP: without `dlg_bye`.
@pytest.mark.parametrize("number", ["100", "200"])
def test_a_call_that_talks_is_ended_on_both_sides(office, number):
    one, caller = office.phones("101", "200")
    call, leg = talk(caller, "100", one)
    listed = until_listed(office, number, answered=True)
    assert end(office, number, listed).status_code == 204
    assert (call.wait_ended().method, leg.wait_ended().method) == ("BYE", "BYE")
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.one("hangup")["ended_by"] == "switch"
    assert history(office).shown["hangup_disposition"] == "internal_cancel"
    assert caller.leaks("101") == []


# Break: live.cfg, LIVE_AGAIN: without its loop.
def test_a_call_that_outlived_the_switch_is_listed_and_ended(office, exchange):
    one, callee = office.phones("101", "200")
    call, leg = talk(one, "200", callee)
    until_kept(exchange, call)
    until_listed(office, "100", answered=True)
    kill(exchange)
    listed = until_answered_again(office, "100")
    assert end(office, "100", listed).status_code == 204
    assert (call.wait_ended().method, leg.wait_ended().method) == ("BYE", "BYE")
    assert story(office).one("hangup")["ended_by"] == "switch"
    assert callee.leaks("101") == []


def until_answered_again(office, number):
    """After a start the switch does not know at first, and says so."""
    url = f"/extension/{office.ids[number]}/current_calls/"

    def known():
        answer = office.tenant.api.get(url)
        assert answer.status_code in (200, 503), answer.text
        return answer.json()["call_list"] if answer.status_code == 200 else []

    [call] = until(known)
    return call


# Break: live_routes.py, _own_side: any call of the client's.
def test_calls_of_others_are_not_found(office):
    one, caller = office.phones("101", "200")
    call, _ = talk(caller, "101", one)
    listed = until_listed(office, "100", answered=True)
    stranger = office.exchange.api.tenant(domain=DOMAIN)
    for url in (path(office, "102", listed), path(office, "201", listed)):
        assert office.tenant.api.delete(url).status_code == 404
    own = stranger.extension()
    url = f"/extension/{own}/current_calls/{listed['call_api_id']}"
    assert stranger.api.delete(url).status_code == 404
    assert stranger.api.delete(path(office, "100", listed)).status_code == 404
    assert office.tenant.api.delete(path(office, "100", {"call_api_id": "100-x"})).status_code == 404
    assert call.bye().status == 200


def test_while_the_switch_is_away_nothing_is_said(office, exchange):
    """No call is listed, and none is denied."""
    one, caller = office.phones("101", "200")
    talk(caller, "101", one)
    listed = until_listed(office, "100", answered=True)
    exchange.process.terminate()
    assert exchange.process.wait(20) == 0
    try:
        for answer in (office.tenant.api.get("/client/@me/current_calls/"), end(office, "100", listed)):
            assert (answer.status_code, answer.json()["status"]) == (503, "switch_unavailable")
    finally:
        exchange.start()
