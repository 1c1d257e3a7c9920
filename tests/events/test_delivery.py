"""Delivery, to a real subscriber that behaves well or badly."""

import time
from contextlib import ExitStack

import pytest
from events.exchange import SECONDS, delivering
from events.receiver import OK, Receiver, answering, dripping, huge, silent
from parts import until
from standardwebhooks import WebhookVerificationError

ORDER = ["dial-in", "answer", "hangup"]


@pytest.fixture(scope="module")
def deliverer(own_peal, tmp_path_factory):
    with delivering(own_peal.database, tmp_path_factory.mktemp("deliverer")) as running:
        yield running


def a_call(calls, **more):
    """All that the called side is told of one call."""
    call_id = calls.notice().call_id
    return [calls.notice(kind, call_id, **more) for kind in ORDER]


# Break: sender.py, request: form of the body without a signature; headers() with another payload.
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_an_event_arrives_as_the_form_that_was_told_signed_by_the_secret(calls, deliverer, method):
    with Receiver() as crm:
        made = calls.subscribe(crm.url + "?tenant=7", method=method)
        told = calls.notice()
        calls.tell(told)
        [came] = crm.wait(1)
    assert (came.method, came.path) == (method, "/events")
    fields = came.fields
    if method == "GET":
        assert fields.pop("tenant") == "7"
    else:
        assert came.query == "tenant=7"
        assert came.headers["content-type"] == "application/x-www-form-urlencoded"
    assert list(fields.items()) == list(told.parameters.items())
    came.verify(made["secret"])
    with pytest.raises(WebhookVerificationError):
        came.verify("whsec_" + "A" * 32)
    assert abs(int(came.headers["webhook-timestamp"]) - came.at) < 5


# Break: bulk.py, add: on_conflict_do_update.
def test_an_event_that_is_told_twice_is_delivered_once(calls, deliverer):
    with Receiver() as crm:
        for kind in ORDER:
            calls.subscribe(crm.url, kind)
        told = a_call(calls)
        calls.tell(*told[:2])
        calls.tell(*told)
        calls.tell(*told)
        crm.wait(3)
        another = calls.notice()
        calls.tell(another)
        came = crm.wait(4)
    assert [each.fields for each in came] == [each.parameters for each in [*told, another]]
    assert len({each.id for each in came}) == 4


# Break: deliverer.py, _send_lane: goes on after a failure.
def test_a_call_is_told_in_its_order_though_the_subscriber_fails_in_between(calls, deliverer):
    with Receiver() as crm:
        subscriptions = [calls.subscribe(crm.url, kind) for kind in ORDER]
        failed = []

        async def behave(request, writer):
            first = request.fields["EventType"] == "answer" and not failed
            failed.extend([request] * first)
            await answering(500 if first else 200)(request, writer)

        crm.behave = behave
        calls.tell(*a_call(calls))
        came = crm.wait(4)
    assert [each.fields["EventType"] for each in came] == ["dial-in", "answer", "answer", "hangup"]
    assert came[1].id == came[2].id
    assert came[2].at - came[1].at >= 2  # what model.delay says
    until(lambda: [calls.states(one) for one in subscriptions] == [["delivered"]] * 3)
    [tried] = calls.log(subscriptions[1])
    assert [each["status"] for each in tried["tries"]] == [500, 200]


# Break: claims.py, due: `fresh` and `again` in one page by `delivery.c.id`.
def test_a_call_that_is_refused_again_and_again_holds_up_no_other(calls, deliverer):
    refused = calls.notice()

    async def behave(request, writer):
        status = 500 if request.fields["CallID"] == refused.parameters["CallID"] else 200
        await answering(status)(request, writer)

    with Receiver(behave) as crm:
        calls.subscribe(crm.url)
        calls.tell(refused)
        crm.wait(2)  # refused, and after a pause asked again
        others = [calls.notice() for _ in range(3)]
        calls.tell(*others)
        until(lambda: {each.parameters["CallID"] for each in others} <= told_of(crm))


def told_of(crm):
    """The calls that a subscriber was told of."""
    return {each.fields["CallID"] for each in crm.received}


# Break: claims.py, due: `late` without `_earlier.c.attempts > 0`, or `fresh` without `_none`.
def test_what_came_while_an_earlier_event_of_its_call_waits_is_told_after_it(calls, deliverer):
    with Receiver(answering(500)) as crm:
        for kind in ORDER:
            calls.subscribe(crm.url, kind)
        dial_in, *later = a_call(calls)
        calls.tell(dial_in)
        crm.wait(1)
        crm.behave = answering(200)
        calls.tell(*later)
        came = crm.wait(4)
    assert [each.fields["EventType"] for each in came] == ["dial-in", *ORDER]


# Break: outbox.py, _release: returns at once; model.py, held_until: None.
def test_an_event_with_a_gap_before_it_waits_for_what_is_missing(calls, deliverer):
    with Receiver() as crm:
        for kind in ORDER:
            calls.subscribe(crm.url, kind)
        dialled, answered, over = a_call(calls)
        late = calls.notice("hangup", over.call_id, gap=True)
        calls.tell(dialled, late)
        crm.wait(1)
        calls.tell(dialled, answered, over)
        closed = time.time()
        came = crm.wait(3)
        assert [each.fields["EventType"] for each in came] == ORDER
        assert came[2].at - closed < 1
        lonely = calls.notice("hangup", gap=True)
        told = time.time()
        calls.tell(lonely)
        waited = crm.wait(4)[3].at - told
    assert 1.9 < waited < 5


# Break: connections.py, to: keeps none.
def test_a_connection_is_used_again(calls, deliverer):
    with Receiver() as crm:
        made = calls.subscribe(crm.url)
        for count in range(1, 4):
            calls.tell(calls.notice())
            until(lambda count=count: calls.states(made) == ["delivered"] * count)
        assert crm.connections == 1


# Break: connections.py, _take: does not look whether it has expired.
def test_a_connection_that_the_subscriber_has_closed_is_not(calls, deliverer):
    async def closes(request, writer):
        await OK(request, writer)
        writer.close()

    with Receiver(closes) as crm:
        made = calls.subscribe(crm.url)
        for count in range(1, 3):
            calls.tell(calls.notice())
            until(lambda count=count: calls.states(made) == ["delivered"] * count)
        assert [len(each["tries"]) for each in calls.log(made)] == [1, 1]
        assert crm.connections == 2


BAD = {
    "time-out": (silent, None, f"no answer within {SECONDS} s"),
    "slow drip": (dripping(b"HTTP/1.1 200 OK\r\nX-Slow: ", 0.05), None, f"no answer within {SECONDS} s"),
    "error": (answering(503), 503, None),
    "no HTTP": (dripping(b"\0\1\2\r\n\r\n", 0.01), None, ""),
}


# Break: sender.py, send: without the time-out; model.py, Outcome.result: any status is a yes.
@pytest.mark.parametrize("name", BAD)
def test_a_bad_subscriber_is_tried_again_and_loses_nothing(calls, deliverer, name):
    behave, status, error = BAD[name]
    with Receiver(behave) as crm:
        made = calls.subscribe(crm.url)
        calls.tell(calls.notice())
        crm.wait(1)
        crm.behave = OK
        until(lambda: calls.states(made) == ["delivered"])
        [first, *_, last] = calls.log(made)[0]["tries"]
    assert first["status"] == status
    assert first["error"] == error or (error == "" and first["error"])
    assert (last["status"], last["error"]) == (200, None)
    assert len({each.id for each in crm.received}) == 1


# Break: model.py, Outcome.result: 3xx is a yes, too.
def test_a_redirection_is_not_followed_and_counts_as_a_failure(calls, deliverer):
    with Receiver() as inner, Receiver() as crm:
        crm.behave = answering(302, f"Location: {inner.url}\r\n")
        made = calls.subscribe(crm.url)
        calls.tell(calls.notice())
        crm.wait(2)
        assert calls.states(made) == ["waiting"]
        assert calls.log(made)[0]["tries"][0]["status"] == 302
        assert inner.received == []


# Break: sender.py, _read: without its bound.
def test_a_huge_answer_is_not_read_to_its_end(calls, deliverer):
    with Receiver(huge) as crm:
        made = calls.subscribe(crm.url)
        calls.tell(calls.notice())
        crm.wait(1)
        until(lambda: calls.states(made) == ["delivered"])
        [tried] = calls.log(made)[0]["tries"]
    assert (tried["status"], tried["error"]) == (200, None)


# Break: claims.py, _disable: status stays.
def test_a_subscriber_that_is_gone_ends_its_subscription_and_a_put_begins_it_anew(calls, deliverer):
    with Receiver(answering(410)) as crm:
        made = calls.subscribe(crm.url)
        path = f"/extension/{calls.extension_id}/event/{made['id']}"
        calls.tell(calls.notice())
        until(lambda: calls.tenant.api.get(path).json()["status"] == "disabled")
        assert calls.states(made) == ["parked"]
        calls.tell(calls.notice())
        assert calls.states(made) == ["parked"]
        assert calls.tenant.api.post(f"{path}/replay/").status_code == 400
        crm.behave = OK
        assert calls.tenant.api.put(path, json={"method": "POST"}).json()["status"] == "active"
        assert calls.tenant.api.post(f"{path}/replay/").json() == {"replayed": 1}
        until(lambda: calls.states(made) == ["delivered"])
    assert len(crm.received) == 2


# Break: deliverer.py, run: awaits each round.
def test_dead_and_slow_subscribers_hold_up_nobody_else(calls, deliverer):
    with ExitStack() as stack:
        dead = [stack.enter_context(Receiver(silent)) for _ in range(3)]
        for each in dead:
            calls.subscribe(each.url)
        alive = stack.enter_context(Receiver())
        calls.subscribe(alive.url)
        began = time.monotonic()
        calls.tell(calls.notice())
        for each in dead:
            each.wait(1)  # their requests hang now
        for _ in range(5):
            calls.tell(calls.notice())
        alive.wait(6)
        assert time.monotonic() - began < 3


# Break: claims.py, settle: no pause.
def test_a_dead_subscriber_is_asked_by_one_request_and_ever_more_seldom(calls, deliverer):
    with Receiver(answering(500)) as crm:
        calls.subscribe(crm.url)
        calls.tell(calls.notice())
        crm.wait(1)
        calls.tell(*[calls.notice() for _ in range(20)])
        first, second = crm.wait(2)
    assert second.at - first.at >= 2


# Break: claims.py, _due: old_secret is left out.
def test_after_a_rotation_both_secrets_verify(calls, deliverer):
    with Receiver() as crm:
        made = calls.subscribe(crm.url)
        path = f"/extension/{calls.extension_id}/event/{made['id']}"
        rotated = calls.tenant.api.post(f"{path}/secret/").json()
        assert rotated["secret"] != made["secret"]
        calls.tell(calls.notice())
        [came] = crm.wait(1)
    came.verify(made["secret"])
    came.verify(rotated["secret"])


# Break: service.py, replay: returns at once.
def test_a_delivered_event_is_sent_again_on_demand_under_its_id(calls, deliverer):
    with Receiver() as crm:
        made = calls.subscribe(crm.url)
        calls.tell(calls.notice())
        until(lambda: calls.states(made) == ["delivered"])
        [shown] = calls.log(made, state="delivered")
        path = f"/extension/{calls.extension_id}/event/{made['id']}/delivery/{shown['id']}/replay/"
        assert calls.tenant.api.post(path).status_code == 201
        first, second = crm.wait(2)
        until(lambda: calls.states(made) == ["delivered"])
        [again] = calls.log(made)
    assert (first.id, first.fields) == (second.id, second.fields)
    assert [each["status"] for each in again["tries"]] == [200, 200]
    assert calls.log(made, state="parked") == []
