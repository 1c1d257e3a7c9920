"""`/admin/client/` and `/client/client_info/`."""

import secrets
from datetime import datetime, timedelta

import pytest
from parts import contents, look
from sqlalchemy import select
from trail import trail

from peal.audit.tables import audit, change_log
from peal.kit import dates

ADMIN = "/admin/client/"


def new(**fields):
    """A body for a new client that nobody else has."""
    return {"name": "A new one", "prefix": secrets.token_hex(4), "domain": "pbx.test"} | fields


def fields_at_fault(answer):
    assert (answer.status_code, answer.json()["status"]) == (400, "bad_request"), answer.text
    return [error["field"] for error in answer.json()["errors"]]


def info(tenant):
    return tenant.api.get("/client/client_info/@me/").json()


def put_info(tenant, **fields):
    return tenant.api.put("/client/client_info/@me/", json=fields)


def test_a_new_client_has_the_defaults(server):
    body = new()
    answer = server.admin.post(ADMIN, json=body)
    assert answer.status_code == 201
    made = answer.json()
    moment = datetime.strptime(made["create_date"], "%Y-%m-%d %H:%M:%S")
    assert abs(moment - dates.now()) < timedelta(minutes=1)
    more = {"id": made["id"], "create_date": made["create_date"], "extension_len": 3, "status": "active"}
    assert made == body | more
    assert server.admin.get(f"{ADMIN}{made['id']}").json() == made


def test_every_field_may_be_given(server):
    body = new(extension_len="4", status="blocked", colour="red", id=7)
    made = server.admin.post(ADMIN, json=body).json()
    assert (made["extension_len"], made["status"]) == (4, "blocked")
    assert "colour" not in made
    assert made["id"] != 7


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_in_a_post_is_the_default_or_missing(server, nothing):
    made = server.admin.post(ADMIN, json=new(extension_len=nothing, status=nothing)).json()
    assert (made["extension_len"], made["status"]) == (3, "active")
    answer = server.admin.post(ADMIN, json={"name": nothing, "prefix": nothing, "domain": nothing})
    assert sorted(fields_at_fault(answer)) == ["domain", "name", "prefix"]


BAD = {
    "name": ["a\nb", "ends\n", "x" * 256, 7],
    "prefix": ["a*b", "a b", "ends\n", "x" * 33, "é", "a@b", 7],
    "domain": ["-a.test", "a.test-", "a b", "a.test\n", "x" * 254, "a/b", "a:5060"],
    "extension_len": [1, 5, "x", 3.5],
    "status": ["gone", 1],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in BAD.items() for v in values])
def test_a_bad_value_is_named(server, field, value):
    assert fields_at_fault(server.admin.post(ADMIN, json=new(**{field: value}))) == [field]


def test_prefix_and_domain_together_are_unique(server):
    body = new()
    assert server.admin.post(ADMIN, json=body).status_code == 201
    assert fields_at_fault(server.admin.post(ADMIN, json=body)) == ["prefix"]
    assert server.admin.post(ADMIN, json=body | {"domain": "other.test"}).status_code == 201
    assert server.admin.post(ADMIN, json=body | {"prefix": secrets.token_hex(4)}).status_code == 201


def test_only_name_and_status_change(server):
    made = server.admin.post(ADMIN, json=new()).json()
    path = f"{ADMIN}{made['id']}"
    fixed = {"id": 1, "prefix": "other", "domain": "other.test", "extension_len": 4, "create_date": "2001"}
    assert server.admin.put(path, json=fixed).json() == made
    changed = made | {"name": "Renamed", "status": "blocked"}
    assert server.admin.put(path, json=changed).json() == changed
    assert server.admin.put(path, json={"name": None, "status": ""}).json() == changed
    assert server.admin.get(path).json() == changed


def test_the_list_is_paged(server):
    made = [server.admin.post(ADMIN, json=new()).json() for _ in range(3)]
    assert server.admin.get(ADMIN, params={"per_page": 3}).json() == made[::-1]
    assert server.admin.get(ADMIN, params={"per_page": 2, "page": 2}).json()[0] == made[0]
    assert server.admin.get(ADMIN, params={"order": "asc", "per_page": 1}).json()[0]["id"] < made[0]["id"]
    assert fields_at_fault(server.admin.get(ADMIN, params={"per_page": 1001})) == ["per_page"]


@pytest.mark.parametrize("place", ["0", "x", "999999999", "9" * 25, "@me", "-1"])
def test_what_is_no_client_is_a_404(server, place):
    answers = [
        server.admin.get(f"{ADMIN}{place}"),
        server.admin.put(f"{ADMIN}{place}", json={"name": "x"}),
        server.admin.delete(f"{ADMIN}{place}"),
        server.admin.get(f"/client/client_info/{place}/"),
        server.admin.get(f"/client/{place}/extension/"),
        server.admin.post(f"/client/{place}/extension/", json={"name": "100", "type": "phone"}),
    ]
    assert {(a.status_code, a.json()["status"]) for a in answers} == {(404, "client_not_found")}


def test_a_client_is_deleted_with_all_that_it_has(server):
    tenant = server.tenant()
    main, one = tenant.extension(), tenant.extension()
    tenant.bundle(main, one)
    tenant.api.put(f"/extension/{main}/phone/", json={"password": "generate"})
    server.api(tenant.id, extension=one)
    tenant.api.post("/client/@me/dial_rule/", json={"dial_rules": []})
    path = f"{ADMIN}{tenant.id}"
    answer = server.admin.delete(path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert server.admin.get(path).status_code == 404
    assert tenant.api.get("/user/").status_code == 401
    left = contents(server.database, without=("audit", "change_log", "client"))
    assert not [row for rows in left.values() for row in rows if row.get("client_id") == tenant.id]


def test_deleting_a_client_leaves_its_trail(server):
    tenant = server.tenant()
    ids = [tenant.extension(), tenant.extension()]
    with trail(tenant) as left:
        server.admin.delete(f"{ADMIN}{tenant.id}")
    told = {"name": "Tenant", "prefix": tenant.client["prefix"]}
    assert left.audit == [("client:delete", tenant.id, told, None)]
    assert left.routed == ids


def test_making_and_blocking_a_client_leave_their_trail(server):
    tenant = server.tenant()
    ids = [tenant.extension(), tenant.extension()]
    (rows,) = look(server.database, select(audit).where(audit.c.action == "client:create"))
    (made,) = [row for row in rows if row["object_id"] == tenant.id]
    assert made["new"]["prefix"] == tenant.client["prefix"]
    assert made["user_id"] == server.admin.get("/user/").json()["id"]
    for status, before in (("blocked", "active"), ("active", "blocked")):
        with trail(tenant) as left:
            server.admin.put(f"{ADMIN}{tenant.id}", json={"status": status})
        assert left.audit == [("client:change", tenant.id, {"status": before}, {"status": status})]
        assert left.routed == ids


def test_a_change_of_nothing_leaves_no_trail(server):
    tenant = server.tenant()
    tenant.extension()
    with trail(tenant) as left:
        server.admin.put(f"{ADMIN}{tenant.id}", json={"status": "active", "name": "Tenant"})
        put_info(tenant, timezone="Europe/Moscow")
        assert put_info(tenant, **info(tenant)).json() == info(tenant)
    assert (left.audit, left.routed) == ([], [])


def test_change_log_rows_name_number_and_domain(server):
    tenant = server.tenant()
    made = tenant.extension(name="123")
    ((row,),) = look(server.database, select(change_log).where(change_log.c.extension_id == made))
    assert row["client_id"] == tenant.id
    assert row["domain"] == "pbx.test"
    assert row["number"].rpartition("*")[2] == "123"


def test_a_client_reads_its_configuration(server):
    tenant = server.tenant()
    assert info(tenant) == {
        "id": tenant.id,
        "name": "Tenant",
        "type": "J",
        "prefix": tenant.client["prefix"],
        "domain": "pbx.test",
        "domain_prefix": None,
        "extension_len": 3,
        "create_date": tenant.client["create_date"],
        "email": None,
        "timezone": "Europe/Moscow",
        "language": None,
        "hold_music": None,
        "dial_rule_id": None,
        "international_prefix": "00",
        "geo_list": None,
        "record_format": "mp3",
        "record_stereo": False,
        "sip_network_permission_id": None,
        "reg_status_log": False,
        "extra_params": None,
    }
    for api in (tenant.api, server.admin):
        assert api.get(f"/client/client_info/{tenant.id}").json() == info(tenant)


def configuration(tenant):
    rules = tenant.api.post("/client/@me/dial_rule/", json={"dial_rules": []}).json()["id"]
    network = {"name": "n", "networks": ["192.0.2.0/24"]}
    networks = tenant.api.post("/client/@me/sip_network_permission/", json=network).json()["id"]
    return {
        "email": "ann@example.test",
        "timezone": "Asia/Omsk",
        "language": "ru",
        "dial_rule_id": rules,
        "international_prefix": "810",
        "geo_list": "RU US",
        "record_format": "wav",
        "record_stereo": True,
        "sip_network_permission_id": networks,
        "reg_status_log": True,
        "extra_params": "{}",
    }


def test_a_client_changes_its_configuration_and_nothing_else(server):
    tenant = server.tenant()
    before, fields = info(tenant), configuration(tenant)
    fixed = {
        "id": 1,
        "name": "x",
        "type": "F",
        "prefix": "x",
        "domain": "x",
        "extension_len": 2,
        "status": "blocked",
    }
    answer = put_info(tenant, **fields, **fixed)
    assert (answer.status_code, answer.json()) == (200, before | fields)
    assert info(tenant) == before | fields
    assert server.admin.get(f"{ADMIN}{tenant.id}").json()["status"] == "active"


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_clears_what_can_be_null(server, nothing):
    tenant = server.tenant()
    before, fields = info(tenant), configuration(tenant)
    put_info(tenant, **fields)
    lasting = {
        name: fields[name]
        for name in ("timezone", "international_prefix", "record_format", "record_stereo", "reg_status_log")
    }
    assert put_info(tenant, **dict.fromkeys(fields, nothing)).json() == before | lasting


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "a\nb"),
        ("timezone", "x" * 65),
        ("timezone", "Europe/Moscow\n"),
        ("language", "x" * 17),
        ("geo_list", "RUS"),
        ("record_format", "ogg"),
        ("hold_music", 999_999_999),
        ("hold_music", 2**40),
        ("dial_rule_id", 999_999_999),
        ("sip_network_permission_id", 999_999_999),
        ("extra_params", "x" * 10_001),
    ],
)
def test_a_bad_configuration_is_named_and_changes_nothing(server, shared, field, value):
    before = info(shared)
    answer = put_info(shared, **({"record_stereo": True, "reg_status_log": True} | {field: value}))
    assert fields_at_fault(answer) == [field]
    assert info(shared) == before


@pytest.fixture(scope="module")
def shared(server):
    return server.tenant()


def test_what_it_names_must_be_its_own(server, shared):
    foreign = configuration(server.tenant())
    for field in ("dial_rule_id", "sip_network_permission_id"):
        assert fields_at_fault(put_info(shared, **{field: foreign[field]})) == [field]


def test_a_change_of_configuration_leaves_its_trail(server):
    tenant = server.tenant()
    ids = [tenant.extension(), tenant.extension()]
    with trail(tenant) as left:
        put_info(tenant, geo_list="RU", language="ru", timezone="Europe/Moscow")
    old, new_values = {"geo_list": None, "language": None}, {"geo_list": "RU", "language": "ru"}
    assert left.audit == [("client:change", tenant.id, old, new_values)]
    assert left.routed == ids
