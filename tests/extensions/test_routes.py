"""`/client/{client_id}/extension/`: the contract's page, field by field."""

from datetime import datetime, timedelta

import pytest
from trail import trail

from peal.kit import dates

LIST = "/client/@me/extension/"


@pytest.fixture(scope="module")
def tenant(server):
    """One client for all: each test makes extensions of its own."""
    return server.tenant(extension_len=4)


@pytest.fixture
def number(tenant):
    """A number that the client has not used yet."""
    tenant._next = max(tenant._next, 1000) + 1
    return str(tenant._next)


def make(tenant, number, **fields):
    return tenant.api.post(LIST, json={"name": number, "type": "phone"} | fields)


def get(tenant, extension):
    return tenant.api.get(f"{LIST}{extension}").json()


def put(tenant, extension, **fields):
    return tenant.api.put(f"{LIST}{extension}", json=fields)


def fields_at_fault(answer):
    assert (answer.status_code, answer.json()["status"]) == (400, "bad_request"), answer.text
    assert all(error["message"] for error in answer.json()["errors"])
    return [error["field"] for error in answer.json()["errors"]]


def test_a_new_extension_has_the_defaults(tenant, number):
    answer = make(tenant, number)
    assert answer.status_code == 201
    body = answer.json()
    assert isinstance(body.pop("id"), int)
    moment = datetime.strptime(body.pop("create_date"), "%Y-%m-%d %H:%M:%S")
    assert abs(moment - dates.now()) < timedelta(minutes=1)
    assert body == {
        "name": f"{tenant.client['prefix']}*{number}",
        "type": "phone",
        "status": "blocked",
        "label": None,
        "client_id": tenant.id,
        "domain": "pbx.test",
        "extension_group_id": None,
        "caller_id_name": None,
        "dial_rule_id": None,
        "dial_rule_limit": None,
        "did_as_transfer_caller_id": None,
        "ani_rfc3325": False,
        "message_did": None,
        "extra_params": None,
        "ani": None,
    }
    assert get(tenant, answer.json()["id"]) == answer.json()


def test_every_field_may_be_given(tenant, number):
    rules = tenant.api.post(
        "/client/@me/dial_rule/", json={"dial_rules": [{"match_exp": "1", "repl_exp": ""}]}
    )
    fields = {
        "status": "active",
        "label": 'Ann "A" Иванова',
        "caller_id_name": "Ann",
        "dial_rule_id": rules.json()["id"],
        "dial_rule_limit": 3,
        "did_as_transfer_caller_id": "diversion",
        "ani_rfc3325": True,
        "message_did": "74951234567",
        "extra_params": "two\nlines",
    }
    made = make(tenant, number, **fields).json()
    assert {name: made[name] for name in fields} == fields
    assert get(tenant, made["id"]) == made


@pytest.mark.parametrize("kind", ["phone", "queue", "ivr", "fax", "conference"])
def test_all_types_can_be_made(tenant, number, kind):
    made = make(tenant, number, type=kind).json()
    assert made["type"] == kind
    assert tenant.api.get(f"/extension/{made['id']}/phone/").status_code == (200 if kind == "phone" else 404)


def test_the_prefix_may_be_given(tenant, number):
    full = f"{tenant.client['prefix']}*{number}"
    assert make(tenant, full).json()["name"] == full


@pytest.mark.parametrize(
    "name",
    [
        "1",
        "12345",
        "12a4",
        "\uff11\uff12\uff13\uff14",
        "+123",
        " 1234",
        "1234\n",
        "9999*1234",
        "*1234",
        "",
        None,
        12.5,
        [1],
    ],
)
def test_a_name_is_the_number_of_digits_that_the_client_has(tenant, name):
    assert fields_at_fault(make(tenant, name)) == ["name"]


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_numbers_have_the_clients_length(server, digits):
    tenant = server.tenant(extension_len=digits)
    assert make(tenant, "7" * digits).status_code == 201
    for wrong in (digits - 1, digits + 1):
        assert fields_at_fault(make(tenant, "7" * wrong)) == ["name"]


def test_a_number_is_unique_in_its_client(server, tenant, number):
    first = make(tenant, number).json()["id"]
    assert fields_at_fault(make(tenant, number)) == ["name"]
    assert fields_at_fault(make(tenant, f"{tenant.client['prefix']}*{number}", type="queue")) == ["name"]
    assert make(server.tenant(extension_len=4), number).status_code == 201
    assert tenant.api.delete(f"{LIST}{first}").status_code == 204
    assert make(tenant, number).json()["id"] > first


BAD = {
    "type": ["", None, "PHONE", "trunk", 1],
    "status": ["on", "Active", 1, True],
    "label": ["a\nb", "a\r\nX: y", "ends\n", "\x7f", "x" * 256, 5, ["a"]],
    "caller_id_name": ["a\nb", "x" * 256, {}],
    "dial_rule_limit": [-1, "two", 1.5, True, 10**7],
    "dial_rule_id": [0, -1, "x", 999_999_999, 2**63],
    "extension_group_id": [999_999_999],
    "did_as_transfer_caller_id": ["both", 1],
    "ani_rfc3325": ["maybe", 2],
    "extra_params": ["x" * 10_001, 1],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in BAD.items() for v in values])
def test_a_bad_value_is_named_and_changes_nothing(tenant, number, field, value):
    with trail(tenant) as left:
        assert fields_at_fault(make(tenant, number, **{field: value})) == [field]
        if field != "type":
            before = get(tenant, own(tenant))
            assert fields_at_fault(put(tenant, before["id"], **{field: value, "message_did": "1"})) == [field]
            assert get(tenant, before["id"]) == before
    assert (left.audit, left.routed) == ([], [])


def own(tenant):
    """An extension that is there already."""
    listed = tenant.api.get(LIST, params={"order": "asc", "per_page": 1}).json()
    return listed[0]["id"] if listed else make(tenant, "1000").json()["id"]


def test_all_bad_fields_are_named_at_once(tenant):
    answer = tenant.api.post(LIST, json={"status": "on", "ani_rfc3325": "maybe"})
    assert sorted(fields_at_fault(answer)) == ["ani_rfc3325", "name", "status", "type"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_in_a_post_is_the_default(tenant, number, nothing):
    fields = ("status", "label", "dial_rule_id", "dial_rule_limit", "ani_rfc3325", "extension_group_id")
    made = make(tenant, number, **dict.fromkeys(fields, nothing)).json()
    assert [made[name] for name in fields] == ["blocked", None, None, None, False, None]


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_in_a_put_clears_what_can_be_null(tenant, number, nothing):
    fields = {
        "label": "Ann",
        "caller_id_name": "Ann",
        "dial_rule_limit": 3,
        "did_as_transfer_caller_id": "from",
        "message_did": "7",
        "extra_params": "x",
    }
    made = make(tenant, number, status="active", ani_rfc3325=True, **fields).json()
    changed = put(tenant, made["id"], **dict.fromkeys([*fields, "status", "ani_rfc3325"], nothing)).json()
    assert changed == made | dict.fromkeys(fields)
    assert get(tenant, made["id"]) == changed


def test_a_put_changes_only_the_keys_it_carries(tenant, number):
    made = make(tenant, number, label="Ann", caller_id_name="A").json()
    assert put(tenant, made["id"], label="Bob").json() == made | {"label": "Bob"}
    assert put(tenant, made["id"]).json() == made | {"label": "Bob"}


def test_keys_that_are_unknown_or_cannot_change_are_ignored(tenant, number):
    made = make(tenant, number, id=1, client_id=1, domain="evil.test", ani="7", colour="red").json()
    assert (made["client_id"], made["domain"], made["ani"]) == (tenant.id, "pbx.test", None)
    assert "colour" not in made
    fixed = {
        "id": 1,
        "name": "9999",
        "type": "queue",
        "client_id": 1,
        "domain": "evil.test",
        "create_date": "2001-01-01 00:00:00",
        "ani": "7",
        "colour": {"deep": ["red"]},
    }
    assert put(tenant, made["id"], **fixed, label="Ann").json() == made | {"label": "Ann"}


def test_a_form_sends_the_whole_object_back(tenant, number):
    made = make(tenant, number, status="active").json()
    with trail(tenant) as left:
        assert put(tenant, made["id"], **made).json() == made
    assert (left.audit, left.routed) == ([], [])


def test_numbers_may_come_as_strings_and_go_as_integers(tenant, number):
    rules = tenant.api.post("/client/@me/dial_rule/", json={"dial_rules": []}).json()["id"]
    made = make(tenant, number, dial_rule_limit="24", dial_rule_id=str(rules)).json()
    assert (made["dial_rule_limit"], made["dial_rule_id"]) == (24, rules)
    answer = put(tenant, made["id"], dial_rule_limit="7")
    assert '"dial_rule_limit":7,' in answer.text


def test_escapes_in_json_are_read(tenant, number):
    body = f'{{"name": "{number}", "type": "phone", "label": "a\\/b \\u0418"}}'.encode()
    assert tenant.api.post(LIST, content=body).json()["label"] == "a/b И"


def test_another_clients_dial_rules_are_not_there(server, tenant, number):
    foreign = server.tenant().api.post("/client/@me/dial_rule/", json={"dial_rules": []}).json()["id"]
    assert fields_at_fault(make(tenant, number, dial_rule_id=foreign)) == ["dial_rule_id"]


def test_the_list_is_newest_first_filtered_and_paged(server):
    tenant = server.tenant()
    kinds = ["phone", "queue", "phone", "ivr"]
    ids = [tenant.extension(type=kind, status="active" if kind == "ivr" else "blocked") for kind in kinds]

    def listed(**query):
        answer = tenant.api.get(LIST, params=query)
        assert answer.status_code == 200
        return [one["id"] for one in answer.json()]

    prefix = tenant.client["prefix"]
    assert listed() == ids[::-1]
    assert listed(order="desc") == ids[::-1]
    assert listed(order="asc") == ids
    assert listed(order="asc", page=2, per_page=3) == ids[3:]
    assert listed(page=3, per_page=3) == []
    assert listed(type="phone", order="asc") == [ids[0], ids[2]]
    assert listed(status="active") == [ids[3]]
    assert listed(type="queue", status="active") == []
    assert listed(name="101") == listed(name=f"{prefix}*101") == [ids[1]]
    assert listed(name="10") == listed(name=f"x{prefix}*101") == listed(name="%") == []
    assert listed(extension_group_id=5) == []
    absent = dict.fromkeys(("type", "status", "name", "extension_group_id", "page", "per_page", "order"), "")
    assert listed(**absent) == ids[::-1]
    assert tenant.api.get(LIST).json()[0] == get(tenant, ids[-1])


def test_a_list_shows_fifty_unless_it_is_told_otherwise(server):
    tenant = server.tenant()
    for _ in range(51):
        tenant.extension()
    assert len(tenant.api.get(LIST).json()) == 50
    assert len(tenant.api.get(LIST, params={"per_page": 1000}).json()) == 51


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "x"),
        ("page", "9" * 30),
        ("per_page", "0"),
        ("per_page", "1001"),
        ("per_page", "1.5"),
        ("order", "up"),
        ("extension_group_id", "x"),
    ],
)
def test_a_bad_query_value_is_named(tenant, name, value):
    assert fields_at_fault(tenant.api.get(LIST, params={name: value})) == [name]


def test_aliases_name_an_extension(tenant, number):
    made, prefix = make(tenant, number).json(), tenant.client["prefix"]
    for alias in (f"@{number}", f"%40{number}", f"@{prefix}*{number}", f"@{prefix}%2A{number}", made["id"]):
        assert get(tenant, alias) == made, alias
        assert tenant.api.get(f"/extension/{alias}/phone/").status_code == 200, alias
    assert put(tenant, f"@{number}", label="by alias").json()["label"] == "by alias"
    assert tenant.api.delete(f"{LIST}@{number}").status_code == 204


@pytest.mark.parametrize(
    "place",
    ["@", "@*", "@9", "@99999", "@x*1001", "0", "-1", "1.0", "x", "9" * 25, "@me", "999999999", "%00"],
)
def test_what_names_no_extension_is_a_404(tenant, place):
    for path in (f"{LIST}{place}", f"/extension/{place}/phone/", f"/extension/{place}/registration/"):
        answer = tenant.api.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["message"] in ("Record not found", "Not found")


def test_another_clients_alias_is_a_404(server, tenant):
    other = server.tenant(extension_len=4)
    theirs = make(other, "9876").json()
    for alias in ("@9876", f"@{theirs['name']}", theirs["id"]):
        answer = tenant.api.get(f"{LIST}{alias}")
        assert (answer.status_code, answer.json()["status"]) == (404, "extension_not_found"), alias


def test_an_administrator_uses_every_realm_by_id(server, tenant, number):
    made = make(tenant, number).json()
    full = f"@{tenant.client['prefix']}*{number}"
    admin = server.admin
    assert admin.get(f"/client/{tenant.id}/extension/{made['id']}").json() == made
    assert admin.get(f"/client/{tenant.id}/extension/@{number}").json() == made
    assert admin.get(f"/extension/{full}/phone/").status_code == 200
    for path in ("/client/@me/extension/", "/extension/@me/phone/", "/client/999999999/extension/"):
        assert admin.get(path).status_code == 404, path
    short = admin.get(f"/extension/@{number}/phone/")
    assert fields_at_fault(short) == ["extension_id"]


def test_a_full_name_in_two_domains_is_ambiguous_to_an_administrator(server):
    one = server.tenant()
    two = server.tenant(prefix=one.client["prefix"], domain="other.test")
    for tenant in (one, two):
        tenant.extension(name="100")
    alias = f"@{one.client['prefix']}*100"
    assert fields_at_fault(server.admin.get(f"/extension/{alias}/phone/")) == ["extension_id"]
    shown = two.api.get(f"{LIST}{alias}").json()
    assert (shown["client_id"], shown["domain"]) == (two.id, "other.test")


def test_a_deleted_extension_is_gone(tenant, number):
    made = make(tenant, number).json()["id"]
    answer = tenant.api.delete(f"{LIST}{made}")
    assert (answer.status_code, answer.content) == (204, b"")
    for path in (f"{LIST}{made}", f"/extension/{made}/phone/", f"/client/@me/extensions_bundle/{made}"):
        assert tenant.api.get(path).status_code == 404, path
    assert tenant.api.delete(f"{LIST}{made}").status_code == 404


def test_a_deleted_extensions_user_is_gone_at_once(server, tenant, number):
    made = make(tenant, number).json()["id"]
    api = server.api(tenant.id, extension=made)
    assert api.get("/user/").status_code == 200
    tenant.api.delete(f"{LIST}{made}")
    assert api.get("/user/").status_code == 401


def test_registrations_are_unknown_after_the_right_checks(server, tenant, number):
    made = make(tenant, number).json()["id"]
    foreign = server.tenant().extension()
    for path in (
        "/extension/registration/",
        f"/extension/{made}/registration/",
        f"/extension/@{number}/registration",
    ):
        answer = tenant.api.get(path)
        assert (answer.status_code, answer.json()["status"]) == (503, "switch_unavailable"), path
        assert server.web.get(f"/api/ver1.0{path}").status_code == 401, path
    for unknown in (foreign, 999_999_999):
        assert tenant.api.get(f"/extension/{unknown}/registration/").status_code == 404


def test_making_one_leaves_its_trail(tenant, number):
    with trail(tenant) as left:
        made = make(tenant, number, label="Ann", status="active").json()["id"]
    ((action, object_id, old, new),) = left.audit
    assert (action, object_id, old) == ("extension:create", made, None)
    assert new == {"name": number, "type": "phone", "label": "Ann", "status": "active"}
    assert left.routed == [made]


def test_changing_one_leaves_old_and_new_values(tenant, number):
    made = make(tenant, number, label="Ann").json()["id"]
    with trail(tenant) as left:
        put(tenant, made, label="Bob", status="active", caller_id_name=None)
    old, new = {"label": "Ann", "status": "blocked"}, {"label": "Bob", "status": "active"}
    assert left.audit == [("extension:change", made, old, new)]
    assert left.routed == [made]


def bundled(tenant):
    """Three extensions, two of them associated with the first."""
    main, one, two = (make(tenant, str(tenant._next + n)).json()["id"] for n in (1, 2, 3))
    tenant._next += 3
    assert tenant.bundle(main, one, two).status_code == 201
    return main, one, two


def test_routing_changes_for_those_whom_a_change_concerns(tenant, number):
    main, one, two = bundled(tenant)
    for changed, fields, concerned in (
        (one, {"label": "own field of an associated one"}, [one]),
        (one, {"status": "active"}, [main, one, two]),
        (main, {"label": "own field of the main one"}, [main, one, two]),
        (main, {"dial_rule_limit": 1}, [main, one, two]),
        (two, {"label": None}, []),
    ):
        with trail(tenant) as left:
            assert put(tenant, changed, **fields).status_code == 200
        assert left.routed == concerned, fields
        assert len(left.audit) == len(concerned[:1])


def test_deleting_leaves_its_trail(tenant, number):
    main, one, two = bundled(tenant)
    name = get(tenant, one)["name"].partition("*")[2]
    with trail(tenant) as left:
        tenant.api.delete(f"{LIST}{one}")
    assert set(left.routed) == {main, one, two}
    actions = {action: (object_id, old, new) for action, object_id, old, new in left.audit}
    assert actions["bundle:set"] == (main, {"bundle_list": [one, two]}, {"bundle_list": [two]})
    assert actions["extension:delete"] == (one, {"name": name, "type": "phone"}, None)
    with trail(tenant) as left:
        tenant.api.delete(f"{LIST}{main}")
    assert set(left.routed) == {main, two}
    assert left.audit[-1][:2] == ("extension:delete", main)


@pytest.mark.parametrize("name", ["name", "type", "status", "unknown"])
def test_a_query_that_holds_a_nul_is_refused(tenant, name):
    answer = tenant.api.get(LIST, params={name: "a\0b"})
    assert (answer.status_code, answer.json()["status"]) == (400, "bad_request")


def test_deleting_one_that_stands_alone_leaves_its_trail(tenant, number):
    made = make(tenant, number).json()["id"]
    with trail(tenant) as left:
        tenant.api.delete(f"{LIST}{made}")
    assert left.audit == [("extension:delete", made, {"name": number, "type": "phone"}, None)]
    assert left.routed == [made]
