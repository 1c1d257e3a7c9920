"""`/extension/{extension_id}/phone/`: the contract's page, field by field."""

import hashlib
import re

import pytest
from parts import contents, look
from sqlalchemy import select
from trail import trail

from peal.phones.tables import phone

DEFAULTS = {
    "label": None,
    "password": None,
    "auth_type": "digest",
    "sip_network_permission_id": None,
    "allow_webrtc": False,
    "call_screening_enabled": False,
    "append_to_cid_name_on_transfer": None,
    "announce_sound_upon_outgoing_call": None,
    "announce_sound_upon_incoming_call": None,
    "conference_announce_caller_name": True,
    "conference_end_on_exit": True,
    "conference_pin": None,
    "geo_list": None,
    "hold_music": None,
    "ringback_sound": None,
    "incoming_limit": None,
    "record_enabled": False,
    "record_transfer": False,
    "record_format": "mp3",
    "record_stereo": False,
    "call_status_id": None,
    "bundle_id": None,
    "bundle_list": [],
}


@pytest.fixture(scope="module")
def tenant(server):
    """One client for all: each test makes phones of its own."""
    return server.tenant(extension_len=4)


@pytest.fixture
def extension(tenant):
    tenant._next = max(tenant._next, 1000)
    return tenant.extension()


def get(tenant, extension):
    answer = tenant.api.get(f"/extension/{extension}/phone/")
    assert answer.status_code == 200
    return answer.json()


def put(tenant, extension, **fields):
    return tenant.api.put(f"/extension/{extension}/phone/", json=fields)


def named(tenant):
    """One of everything that a phone can name."""
    post = tenant.api.post
    network = post("/client/@me/sip_network_permission/", json={"name": "n", "networks": ["192.0.2.0/24"]})
    status = post("/client/@me/extension/call_status/", json={"name": "s", "property_list": ["all"]})
    return {"sip_network_permission_id": network.json()["id"], "call_status_id": status.json()["id"]}


def test_a_new_phone_has_the_defaults(tenant, extension):
    assert get(tenant, extension) == DEFAULTS


def test_every_field_can_be_changed(tenant, extension):
    fields = {
        "label": "Anns Tisch Ünïcødé",
        "auth_type": "both",
        "allow_webrtc": True,
        "call_screening_enabled": True,
        "append_to_cid_name_on_transfer": "(transferred)",
        "conference_announce_caller_name": False,
        "conference_end_on_exit": False,
        "conference_pin": "0042",
        "geo_list": "RU US BY",
        "incoming_limit": 3,
        "record_enabled": True,
        "record_transfer": True,
        "record_format": "wav",
        "record_stereo": True,
        **named(tenant),
    }
    answer = put(tenant, extension, **fields)
    assert (answer.status_code, answer.json()) == (200, DEFAULTS | fields)
    assert get(tenant, extension) == DEFAULTS | fields


def test_a_put_changes_only_the_keys_it_carries(tenant, extension):
    put(tenant, extension, label="desk", incoming_limit=2)
    assert put(tenant, extension, record_enabled=True).json() == DEFAULTS | {
        "label": "desk",
        "incoming_limit": 2,
        "record_enabled": True,
    }


def test_its_label_is_not_the_extensions(tenant, extension):
    put(tenant, extension, label="phone's")
    tenant.api.put(f"/client/@me/extension/{extension}", json={"label": "extension's"})
    assert get(tenant, extension)["label"] == "phone's"


BAD = {
    "label": ["a\nb", "a\r\nX-Evil: y", "ends\n", "x" * 256, 1],
    "password": ["short", "seven77", "a" * 129, "12345678\n", "пароль пароль", 12345678, ["generate"]],
    "auth_type": ["none", "DIGEST", 1],
    "sip_network_permission_id": [0, 999_999_999, "x"],
    "allow_webrtc": ["perhaps", 7],
    "append_to_cid_name_on_transfer": ["a\nb"],
    "conference_pin": ["abc", "1 2", "12\n", "1" * 33],
    "geo_list": ["ru", "RUS", "RU,US", "RU  US", " RU", "RU\n", 7],
    "hold_music": [999_999_999],
    "ringback_sound": [999_999_999],
    "announce_sound_upon_outgoing_call": [999_999_999],
    "announce_sound_upon_incoming_call": [999_999_999],
    "incoming_limit": [-1, "many", 1.5],
    "record_format": ["ogg", "MP3"],
    "call_status_id": [999_999_999],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in BAD.items() for v in values])
def test_a_bad_value_is_named_and_changes_nothing(tenant, extension, field, value):
    with trail(tenant) as left:
        answer = put(
            tenant,
            extension,
            **({"append_to_cid_name_on_transfer": "x", "conference_pin": "1"} | {field: value}),
        )
    assert (answer.status_code, answer.json()["status"]) == (400, "bad_request"), answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (left.audit, left.routed) == ([], [])
    assert get(tenant, extension) == DEFAULTS


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_clears_what_can_be_null_and_leaves_the_rest(tenant, extension, nothing):
    clearable = {
        "label": "desk",
        "append_to_cid_name_on_transfer": "x",
        "conference_pin": "1",
        "geo_list": "RU",
        "incoming_limit": 1,
        **named(tenant),
    }
    lasting = {"auth_type": "both", "record_format": "wav", "allow_webrtc": True, "record_enabled": True}
    put(tenant, extension, **clearable, **lasting, conference_end_on_exit=False)
    cleared = put(
        tenant, extension, **dict.fromkeys([*clearable, *lasting, "conference_end_on_exit"], nothing)
    )
    assert cleared.json() == DEFAULTS | lasting | {"conference_end_on_exit": False}
    assert get(tenant, extension) == cleared.json()


def test_numbers_may_come_as_strings_and_go_as_integers(tenant, extension):
    status = named(tenant)["call_status_id"]
    answer = put(tenant, extension, incoming_limit="2", call_status_id=str(status))
    assert '"incoming_limit":2,' in answer.text
    assert answer.json()["call_status_id"] == status


def test_zero_is_a_limit_that_is_kept(tenant, extension):
    assert put(tenant, extension, incoming_limit=0).json()["incoming_limit"] == 0
    assert get(tenant, extension)["incoming_limit"] == 0


def test_what_it_names_must_be_the_clients_own(server, tenant, extension):
    for field, foreign in named(server.tenant()).items():
        answer = put(tenant, extension, **{field: foreign})
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert get(tenant, extension) == DEFAULTS


def test_it_says_which_bundle_it_is_in(tenant, extension):
    one, two = tenant.extension(), tenant.extension()
    tenant.bundle(extension, two, one)
    for member in (extension, one, two):
        shown = get(tenant, member)
        assert (shown["bundle_id"], shown["bundle_list"]) == (extension, [two, one])
        changed = put(tenant, member, label=f"phone {member}").json()
        assert (changed["bundle_id"], changed["bundle_list"]) == (extension, [two, one])
    tenant.api.delete(f"/client/@me/extensions_bundle/{extension}")
    assert [get(tenant, one)[key] for key in ("bundle_id", "bundle_list")] == [None, []]


def test_the_bundle_is_read_only_here(tenant, extension):
    one = tenant.extension()
    for form in ({"bundle_id": one, "bundle_list": [one]}, {"bundle_id": "x", "bundle_list": None}):
        assert put(tenant, extension, **form).json() == DEFAULTS
    assert get(tenant, one) == DEFAULTS


def test_a_form_sends_the_whole_object_back(tenant, extension):
    one = tenant.extension()
    tenant.bundle(extension, one)
    put(tenant, extension, password="a good password")
    form = get(tenant, one)
    with trail(tenant) as left:
        assert put(tenant, one, **form).json() == form
    assert (left.audit, left.routed) == ([], [])


def hashes(server, extension):
    ((row,),) = look(server.database, select(phone).where(phone.c.extension_id == extension))
    return row["ha1_md5"], row["ha1_sha256"]


def expected_hashes(tenant, extension, password):
    name = tenant.api.get(f"/client/@me/extension/{extension}").json()["name"]
    text = f"{name}:{tenant.client['domain']}:{password}".encode()
    return hashlib.md5(text).hexdigest(), hashlib.sha256(text).hexdigest()


def test_a_new_phone_has_no_password(server, extension):
    assert hashes(server, extension) == (None, None)


def test_a_password_is_shown_once_and_kept_as_hashes(server, tenant, extension):
    password = 'p4ss "w0rd": \\ /'
    answer = put(tenant, extension, password=password, label="desk")
    assert answer.json() == DEFAULTS | {"label": "desk", "password": password}
    assert get(tenant, extension)["password"] is None
    assert put(tenant, extension, label="other").json()["password"] is None
    assert hashes(server, extension) == expected_hashes(tenant, extension, password)


def test_a_password_is_generated(server, tenant, extension):
    made = [put(tenant, extension, password="generate").json()["password"] for _ in range(3)]
    assert all(re.fullmatch("[A-Za-z0-9]{20}", one) for one in made)
    assert len(set(made)) == 3
    assert get(tenant, extension)["password"] is None
    assert hashes(server, extension) == expected_hashes(tenant, extension, made[-1])


@pytest.mark.parametrize("nothing", [None, ""])
def test_nothing_leaves_the_password_as_it_is(server, tenant, extension, nothing):
    put(tenant, extension, password="a good password")
    before = hashes(server, extension)
    assert put(tenant, extension, password=nothing).json()["password"] is None
    assert hashes(server, extension) == before != (None, None)


def test_a_password_reaches_neither_table_nor_log_nor_lists(server, tenant, extension):
    given = "Zq8-given-password"
    put(tenant, extension, password=given)
    generated = put(tenant, extension, password="generate").json()["password"]
    stored, log = repr(contents(server.database)), server.log.read_text()
    for secret in (given, generated):
        assert secret not in stored
        assert secret not in log
        assert secret not in tenant.api.get("/client/@me/extension/").text


def test_a_refused_password_is_not_told_back(tenant, extension):
    answer = put(tenant, extension, password="tiny pw")
    assert answer.status_code == 400
    assert "tiny pw" not in answer.text


def test_a_password_leaves_its_trail_without_itself(tenant, extension):
    one = tenant.extension()
    tenant.bundle(extension, one)
    with trail(tenant) as left:
        put(tenant, one, password="a good password")
    ((action, object_id, old, new),) = left.audit
    assert (action, object_id, old, new) == ("phone:change", one, {}, {"password": "set"})
    assert left.routed == [one]


def test_a_change_leaves_old_and_new_values(tenant, extension):
    put(tenant, extension, label="desk")
    with trail(tenant) as left:
        put(tenant, extension, label="table", incoming_limit=2, auth_type="digest")
    old, new = {"label": "desk", "incoming_limit": None}, {"label": "table", "incoming_limit": 2}
    assert left.audit == [("phone:change", extension, old, new)]
    assert left.routed == [extension]


def test_routing_changes_for_those_whom_a_change_concerns(tenant, extension):
    main, one, two = extension, tenant.extension(), tenant.extension()
    tenant.bundle(main, one, two)
    for changed, fields, concerned in (
        (one, {"label": "own field of an associated one"}, [one]),
        (one, {"record_enabled": True}, [main, one, two]),
        (main, {"auth_type": "both"}, [main, one, two]),
        (two, {"incoming_limit": 4, "label": "both kinds"}, [main, one, two]),
        (two, {"incoming_limit": 4}, []),
    ):
        with trail(tenant) as left:
            assert put(tenant, changed, **fields).status_code == 200
        assert left.routed == concerned, fields


@pytest.mark.parametrize("kind", ["queue", "ivr", "fax", "conference"])
def test_only_phones_have_phones(tenant, extension, kind):
    other = tenant.extension(type=kind)
    for answer in (tenant.api.get(f"/extension/{other}/phone/"), put(tenant, other, label="x")):
        assert (answer.status_code, answer.json()["status"]) == (404, "extension_not_found")


def test_an_extensions_user_has_its_own_by_me(server, tenant, extension):
    api = server.api(tenant.id, extension=extension)
    assert api.get("/extension/@me/phone/").json() == DEFAULTS
    assert api.put("/extension/@me/phone/", json={"password": "generate"}).json()["password"]
    assert tenant.api.get("/extension/@me/phone/").status_code == 404
