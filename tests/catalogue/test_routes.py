"""Dial rules, call statuses, network permissions: what fields of phones and clients name."""

import pytest

RULES = {
    "dial_rules": [
        {"match_exp": r"^8(\d{10})$", "repl_exp": r"+7\1"},
        {"match_exp": "^810.*", "repl_exp": ""},
    ]
}
STATUS = {"name": "At lunch", "property_list": ["li", "qri"]}
NETWORK = {"name": "Office", "networks": ["192.0.2.0/24"]}

KINDS = [
    ("dial_rule", RULES, {"dial_rules": [{"match_exp": "^1$", "repl_exp": "2"}]}),
    ("extension/call_status", STATUS, {"name": "Back soon"}),
    ("sip_network_permission", NETWORK, {"networks": ["198.51.100.7/32", "2001:db8::/32"]}),
]
every_kind = pytest.mark.parametrize(("path", "body", "change"), KINDS, ids=[kind[0] for kind in KINDS])


@every_kind
def test_create_read_change_delete(tenant, path, body, change):
    api, place = tenant.api, f"/client/@me/{path}/"
    made = api.post(place, json=body)
    assert made.status_code == 201, made.text
    thing = made.json()
    assert thing | body == thing
    one = f"{place}{thing['id']}"
    assert api.get(one).json() == thing
    changed = api.put(one, json=change)
    assert (changed.status_code, changed.json()) == (200, thing | change)
    assert api.get(place).json() == [thing | change]
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    assert api.get(place).json() == []


@every_kind
def test_another_client_sees_and_changes_none(server, tenant, path, body, change):
    one = f"/client/@me/{path}/{tenant.api.post(f'/client/@me/{path}/', json=body).json()['id']}"
    before = tenant.api.get(one).json()
    stranger = server.tenant().api
    answers = [stranger.get(one), stranger.put(one, json=change), stranger.delete(one)]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert tenant.api.get(one).json() == before


@every_kind
def test_read_only_access_reads_and_no_more(server, tenant, path, body, change):
    one = f"/client/@me/{path}/{tenant.api.post(f'/client/@me/{path}/', json=body).json()['id']}"
    reader = server.api(tenant.id, access="read_only")
    assert reader.get(one).status_code == 200
    answers = [
        reader.put(one, json=change),
        reader.delete(one),
        reader.post(f"/client/@me/{path}/", json=body),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("dial_rule", {}, "dial_rules"),
        ("dial_rule", {"dial_rules": [*RULES["dial_rules"], {"match_exp": "(1|12)", "repl_exp": ""}]},
         "dial_rules[2]"),
        ("dial_rule", {"dial_rules": [{"match_exp": r"(1)\1", "repl_exp": ""}]}, "dial_rules[0]"),
        ("extension/call_status", STATUS | {"property_list": ["li", "elsewhere"]}, "property_list"),
        ("extension/call_status", {"property_list": ["li", "qri"]}, "name"),
        ("sip_network_permission", NETWORK | {"networks": ["192.0.2.1.1/24"]}, "networks"),
        ("sip_network_permission", NETWORK | {"networks": []}, "networks"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_makes_nothing(tenant, path, body, field):
    answer = tenant.api.post(f"/client/@me/{path}/", json=body)
    assert answer.status_code == 400, answer.text
    assert field in [
        error["field"].split("[")[0] if "[" not in field else error["field"]
        for error in answer.json()["errors"]
    ]
    assert tenant.api.get(f"/client/@me/{path}/").json() == []


def test_what_a_phone_names_must_exist_and_stays(server, tenant):
    extension = tenant.extension()
    phone = f"/extension/{extension}/phone/"
    status = tenant.api.post("/client/@me/extension/call_status/", json=STATUS).json()["id"]
    foreign = server.tenant().api.post("/client/@me/extension/call_status/", json=STATUS).json()["id"]
    refused = tenant.api.put(phone, json={"call_status_id": foreign})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "call_status_id")
    assert tenant.api.put(phone, json={"call_status_id": status}).status_code == 200
    kept = tenant.api.delete(f"/client/@me/extension/call_status/{status}")
    assert (kept.status_code, kept.json()["status"]) == (400, "still_used")
    assert tenant.api.put(phone, json={"call_status_id": None}).status_code == 200
    assert tenant.api.delete(f"/client/@me/extension/call_status/{status}").status_code == 204


def test_the_kinds_of_calls_are_the_contracts(tenant):
    found = tenant.api.get("/extension/call_property").json()
    assert [sorted(kind) for kind in found] == [["description", "mnemo", "name"]] * len(found)
    assert {kind["mnemo"] for kind in found} == {"all", "li", "lo", "ri", "ro", "qli", "qri", "cq"}
