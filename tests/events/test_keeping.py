"""What is given up and what is forgotten: time has passed when the rows say so."""

from collections.abc import Sequence
from datetime import timedelta

from events.exchange import delivering
from events.receiver import OK, Receiver, answering
from parts import look, until
from sqlalchemy import insert, select, update

from peal.events.tables import attempt, delivery, notice, subscriber
from peal.kit import dates


def deliveries(calls, subscription: dict) -> Sequence[dict]:
    mine = select(delivery).where(delivery.c.subscription_id == subscription["id"])
    return look(calls.server.database, mine.order_by(delivery.c.id))[0]


def age(calls, row: dict, age: timedelta, state: str = "waiting"):
    """Let a delivery be so old, and what it tells."""
    at = dates.now() - age
    over = {"done_at": None if state == "waiting" else at}
    look(
        calls.server.database,
        update(notice).where(notice.c.id == row["notice_id"]).values(told_at=at),
        update(delivery).where(delivery.c.id == row["id"]).values(state=state, waits_since=at, **over),
        insert(attempt).values(delivery_id=row["id"], at=at, milliseconds=1, status=500),
    )


def told_of(calls, subscription: dict, **query: str) -> list[str]:
    """The calls that its log tells of, the oldest first."""
    return [each["parameters"]["CallID"] for each in reversed(calls.log(subscription, **query))]


# Break: claims.py, _park_old: returns at once; model.py, GIVE_UP: 22 hours, 26 hours.
def test_what_failed_for_24_hours_is_parked_and_shown_and_can_be_sent_again(calls, own_peal, tmp_path):
    with Receiver(answering(500)) as crm:
        made = calls.subscribe(crm.url)
        path = f"/extension/{calls.extension_id}/event/{made['id']}"
        told = [calls.notice(), calls.notice()]
        calls.tell(*told)
        old, new = (each.parameters["CallID"] for each in told)
        for row, hours in zip(deliveries(calls, made), (25, 23), strict=True):
            age(calls, row, timedelta(hours=hours))
        with delivering(own_peal.database, tmp_path):
            until(lambda: "parked" in calls.states(made))
            [parked] = calls.log(made, state="parked")
            assert [each["status"] for each in parked["tries"]] == [500, 500]
            assert told_of(calls, made, state="parked") == [old]
            assert told_of(calls, made, state="waiting") == [new]
            before = len(crm.received)
            crm.behave = OK
            assert calls.tenant.api.post(f"{path}/replay/").json() == {"replayed": 1}
            until(lambda: calls.states(made) == ["delivered", "delivered"])
        assert sorted(each.fields["CallID"] for each in crm.received[before:]) == sorted([old, new])
        assert len({each.id for each in crm.received}) == 2


# Break: claims.py, settle: parks what is old only where nothing was taken.
def test_what_failed_for_24_hours_is_parked_though_the_subscriber_takes_all_else(calls, own_peal, tmp_path):
    async def behave(request, writer):
        await answering(500 if request.fields["EventType"] == "answer" else 200)(request, writer)

    with Receiver(behave) as crm:
        kinds = ("dial-in", "answer", "hangup")
        dialled, answered, over = (calls.subscribe(crm.url, kind) for kind in kinds)
        call_id = calls.notice().call_id
        calls.tell(*(calls.notice(kind, call_id) for kind in kinds))
        age(calls, *deliveries(calls, answered), timedelta(hours=25))
        with delivering(own_peal.database, tmp_path):
            until(lambda: calls.states(over) == ["delivered"])
        assert [calls.states(one) for one in (dialled, answered)] == [["delivered"], ["parked"]]
    assert [each.fields["EventType"] for each in crm.received] == list(kinds)


# Break: claims.py, forget: deletes nothing, or all that is old; retention.py, _delete: two days more or less.
def test_what_is_old_is_forgotten_and_a_subscriber_that_is_behind_loses_nothing(calls, own_peal, tmp_path):
    ages = [(31, "delivered"), (31, "parked"), (31, "waiting"), (29, "parked"), (0, "waiting")]
    with Receiver(answering(500)) as crm:
        made = calls.subscribe(crm.url)
        told = [calls.notice() for _ in ages]
        calls.tell(*told)
        for row, (days, state) in zip(deliveries(calls, made), ages, strict=True):
            age(calls, row, timedelta(days=days), state)
        recent = dates.now() - timedelta(hours=1)
        waits = delivery.c.subscription_id == made["id"], delivery.c.state == "waiting"
        look(calls.server.database, update(delivery).where(*waits).values(waits_since=recent))
        kept = [each.parameters["CallID"] for each in told[2:]]
        with delivering(own_peal.database, tmp_path, events_days=30):
            until(lambda: told_of(calls, made) == kept)
            crm.behave = OK
            until(lambda: calls.states(made) == ["delivered", "parked", "delivered"])
        assert told_of(calls, made) == kept
        assert {each.fields["CallID"] for each in crm.received} == {kept[0], kept[2]}
    mine = select(notice.c.call_id).where(notice.c.extension_id == calls.extension_id).order_by(notice.c.id)
    assert [row["call_id"].upper() for row in look(calls.server.database, mine)[0]] == kept


# Break: claims.py, forget_subscribers: returns 0; without `unused`.
def test_a_url_that_no_subscription_names_any_more_is_forgotten(calls, own_peal, tmp_path):
    urls = ["https://ended.example/", "https://active.example/"]
    ended, _ = (calls.subscribe(url) for url in urls)
    mine = select(subscriber.c.url).where(subscriber.c.client_id == calls.tenant.id).order_by(subscriber.c.id)

    def known():
        return [row["url"] for row in look(calls.server.database, mine)[0]]

    assert known() == urls
    calls.tenant.api.delete(f"/extension/{calls.extension_id}/event/{ended['id']}")
    with delivering(own_peal.database, tmp_path):
        until(lambda: known() == urls[1:])
