"""Subscriptions through the API: both realms, what is shown, what is silent."""

import pytest
from parts import look
from sqlalchemy import select

from peal.audit.tables import audit
from peal.events.tables import delivery, notice, subscriber

URL = "https://crm.example/events?key=k"
BODY = {"url": URL, "event_type": "hangup", "method": "POST"}


@pytest.fixture(params=["extension", "client"])
def place(request, calls):
    """A path where subscriptions are made."""
    if request.param == "extension":
        return f"/extension/{calls.extension_id}/event/"
    return "/client/@me/phone_events/"


# Break: schemas.py, show: NewSubscription.
def test_a_subscription_is_made_read_changed_and_ended_and_its_secret_is_shown_once(calls, place):
    api = calls.tenant.api
    answer = api.post(place, json=BODY)
    made = answer.json()
    secret = made.pop("secret")
    assert (answer.status_code, secret[:6], len(secret)) == (201, "whsec_", 38)
    assert made == {"id": made["id"], **BODY, "status": "active"}
    one = f"{place}{made['id']}"
    assert api.get(one).json() == made
    assert api.get(place).json() == [made]
    changed = api.put(one, json={"method": "GET"})
    assert (changed.status_code, changed.json()) == (200, {**made, "method": "GET"})
    assert api.get(one).json() == {**made, "method": "GET"}
    assert secret not in api.get(one).text + api.get(place).text + changed.text
    gone = api.delete(one)
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.get(one).status_code == api.delete(one).status_code == 404
    assert api.get(place).json() == []


# Break: schemas.py, SubscriptionCreate: defaults.
@pytest.mark.parametrize("field", BODY)
def test_every_field_is_mandatory_and_checked(calls, place, field):
    for value in (None, "", "nonsense"):
        answer = calls.tenant.api.post(place, json=BODY | {field: value})
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_only_a_client_hears_of_call_statuses(calls):
    body = BODY | {"event_type": "extension-call-status"}
    assert calls.tenant.api.post("/client/@me/phone_events/", json=body).status_code == 201
    assert calls.tenant.api.post(f"/extension/{calls.extension_id}/event/", json=body).status_code == 400


# Break: repository.py, _of: without the extension.
def test_the_two_realms_do_not_see_each_others_subscriptions(calls):
    api, own = calls.tenant.api, f"/extension/{calls.extension_id}/event/"
    of_extension = api.post(own, json=BODY).json()["id"]
    of_client = api.post("/client/@me/phone_events/", json=BODY).json()["id"]
    assert api.get(f"/client/@me/phone_events/{of_extension}").status_code == 404
    assert api.get(f"{own}{of_client}").status_code == 404
    assert api.delete(own).status_code == 204
    assert api.get(own).json() == []
    assert [one["id"] for one in api.get("/client/@me/phone_events/").json()] == [of_client]


# Break: routes.py, create_event: without opt.
def test_an_application_of_access_call_api_subscribes(calls, place):
    api = calls.server.api(calls.tenant.id, application="Call API")
    made = api.post(place.replace("@me", str(calls.tenant.id)), json=BODY)
    assert made.status_code == 201


# Break: service.py, _told: returns values.
def test_the_audit_names_neither_secret_nor_what_a_url_hides(calls, place):
    made = calls.tenant.api.post(place, json=BODY).json()
    calls.tenant.api.post(f"{place}{made['id']}/secret/")
    calls.tenant.api.delete(f"{place}{made['id']}")
    mine = audit.c.object_id == made["id"], audit.c.action.like("subscription:%")
    (rows,) = look(calls.server.database, select(audit).where(*mine).order_by(audit.c.id))
    assert [row["action"].partition(":")[2] for row in rows] == ["create", "rotate", "delete"]
    assert rows[0]["new"] == BODY | {"url": "https://crm.example/"}
    assert made["secret"] not in str(rows)


# Break: repository.py, change: deliveries keep their subscriber.
def test_what_waits_goes_to_the_new_url(calls):
    made = calls.subscribe(URL)
    calls.tell(calls.notice())
    path = f"/extension/{calls.extension_id}/event/{made['id']}"
    calls.tenant.api.put(path, json={"url": "https://new.example/"})
    query = select(subscriber.c.url).join(delivery, delivery.c.subscriber_id == subscriber.c.id)
    (rows,) = look(calls.server.database, query.where(delivery.c.subscription_id == made["id"]))
    assert [row["url"] for row in rows] == ["https://new.example/"]


# Break: model.py, hears: `associated` is not looked at.
def test_an_associated_extensions_subscription_is_kept_and_silent_while_in_a_bundle(calls):
    other = calls.tenant.extension()
    made = calls.subscribe(URL, extension=other)

    def told():
        calls.tell(calls.notice(extension_id=other))
        return len(calls.states(made))

    assert told() == 1
    assert calls.tenant.bundle(calls.extension_id, other).status_code == 201
    assert told() == 1
    assert calls.tenant.api.get(f"/extension/{other}/event/").json()[0]["status"] == "active"
    calls.tenant.api.delete(f"/client/@me/extensions_bundle/{calls.extension_id}")
    assert told() == 2


def statuses(calls):
    made = [
        calls.tenant.api.post(
            "/client/@me/extension/call_status/", json={"name": name, "property_list": ["all"]}
        ).json()
        for name in ("at the desk", "away")
    ]
    return [one["id"] for one in made]


# Break: phones/service.py, _tell_status: of the extension itself; not told where nothing changed.
def test_a_change_of_call_status_is_told_once_of_the_main_extension(calls):
    api, main, other = calls.tenant.api, calls.extension_id, calls.tenant.extension()
    assert calls.tenant.bundle(main, other).status_code == 201
    body = {"url": URL, "event_type": "extension-call-status", "method": "POST"}
    made = api.post("/client/@me/phone_events/", json=body).json()
    first, second = statuses(calls)
    for new in (first, first, second, None):
        assert api.put(f"/extension/{other}/phone/", json={"call_status_id": new}).status_code == 200
    query = select(notice.c.parameters).join(delivery, delivery.c.notice_id == notice.c.id)
    (rows,) = look(
        calls.server.database,
        query.where(delivery.c.subscription_id == made["id"]).order_by(delivery.c.id),
    )
    told = [row["parameters"] for row in rows]
    assert [(one["old_status_id"], one["new_status_id"]) for one in told] == [
        ("", str(first)),
        (str(first), str(second)),
        (str(second), ""),
    ]
    for one in told:
        assert list(one) == [
            "event_type",
            "old_status_id",
            "new_status_id",
            "extension_id",
            "extension_name",
            "client_id",
            "change_dt",
        ]
        assert one["event_type"] == "call-status-change"
        assert one["extension_id"] == str(main)
        assert one["extension_name"] == f"{calls.tenant.client['prefix']}*100"
        assert one["client_id"] == str(calls.tenant.id)


# Break: phones/service.py: told on a connection of its own.
def test_a_change_that_is_refused_is_not_told(calls):
    api = calls.tenant.api
    made = api.post("/client/@me/phone_events/", json=BODY | {"event_type": "extension-call-status"}).json()
    answer = api.put(f"/extension/{calls.extension_id}/phone/", json={"call_status_id": 987654})
    assert answer.status_code == 400
    assert calls.states(made) == []


# Break: measures.py, measure: returns at once.
def test_the_backlog_and_its_lag_are_measured(calls):
    calls.subscribe(URL)
    calls.tell(calls.notice())

    def measured():
        lines = calls.server.web.get("/metrics").text.splitlines()
        return {
            name: float(value) for name, value in (one.split() for one in lines if one[:9] == "peal_deli")
        }

    assert measured()["peal_deliveries_waiting"] >= 1
    assert measured()["peal_delivery_lag_seconds"] > 0
