"""Trunks: for administrators; the password is never seen again."""

import hashlib

import pytest
from numbers_outside import Told
from parts import look
from sqlalchemy import select

from peal.audit.tables import audit
from peal.trunks.tables import trunk

SECRET = "a secret of the carrier"


@pytest.fixture
def told(server):
    return Told(server)


def make(server, **fields):
    made = server.admin.post("/admin/trunk/", json={"name": "Carrier", "host": "192.0.2.7"} | fields)
    assert made.status_code == 201, made.text
    return made.json()


def one(made):
    return f"/admin/trunk/{made['id']}"


def kept(server, made):
    return look(server.database, select(trunk).where(trunk.c.id == made["id"]))[0][0]


def test_a_trunk_is_made_shown_changed_and_deleted(server, tenant, told):
    made = make(server)
    assert made == {
        "id": made["id"],
        "name": "Carrier",
        "client_id": None,
        "status": "active",
        "priority": 10,
        "host": "192.0.2.7",
        "port": 5060,
        "transport": "udp",
        "login": None,
        "realm": None,
        "register": False,
        "networks": ["192.0.2.7/32"],
        "number": None,
        "create_date": made["create_date"],
    }
    assert server.admin.get(one(made)).json() == made
    assert made in server.admin.get("/admin/trunk/").json()
    change = {"client_id": tenant.id, "priority": 3, "transport": "tcp", "networks": ["2001:db8::/32"]}
    changed = server.admin.put(one(made), json=change | {"id": 1, "number": "+74951234567"})
    assert (changed.status_code, changed.json()) == (200, made | change | {"number": "74951234567"})
    assert server.admin.delete(one(made)).status_code == 204
    assert server.admin.get(one(made)).status_code == 404
    own, common, itself = ("client", str(tenant.id)), ("common", "0"), ("trunk", str(made["id"]))
    assert told() == [itself, common, itself, common, own, itself, own]


def test_what_is_absent_follows_from_the_host_and_the_transport(server):
    named = make(server, host="sip.carrier.test", transport="tls")
    assert (named["networks"], named["port"]) == ([], 5061)
    assert make(server, host="2001:db8::7")["networks"] == ["2001:db8::7/128"]


def test_the_password_is_kept_as_a_hash_for_login_and_realm_and_shown_nowhere(server):
    made = make(server, login="line7", password=SECRET, realm="carrier.test", register=True)
    assert (made["login"], made["realm"], made["register"]) == ("line7", "carrier.test", True)
    wanted = hashlib.md5(f"line7:carrier.test:{SECRET}".encode()).hexdigest()
    assert kept(server, made)["ha1_md5"] == wanted
    changed = server.admin.put(one(made), json={"password": "another", "priority": 1})
    assert kept(server, made)["ha1_md5"] != wanted
    (rows,) = look(server.database, select(audit).where(audit.c.action.like("trunk:%")))
    mine = [row for row in rows if row["object_id"] == made["id"]]
    assert [row["new"].get("password") for row in mine] == ["set", "set"]
    listed = server.admin.get("/admin/trunk/").text
    for text in (made, changed.text, listed, rows, server.log.read_text()):
        for secret in (SECRET, "another", wanted, kept(server, made)["ha1_md5"], "ha1"):
            assert secret not in str(text)


def test_without_a_realm_it_is_the_host(server):
    assert (
        make(server, host="sip.carrier.test", login="line7", password=SECRET)["realm"] == "sip.carrier.test"
    )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"password": SECRET}, "login"),
        ({"login": "line7"}, "password"),
        ({"register": True}, "register"),
        ({"networks": ["192.0.2.1/24"]}, "networks"),
        ({"networks": ["elsewhere"]}, "networks"),
        ({"client_id": 999_999_999}, "client_id"),
        ({"host": "a b"}, "host"),
        ({"host": "a;b"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"transport": "sctp"}, "transport"),
        ({"login": "a/b", "password": SECRET}, "login"),
        ({"login": "a", "realm": "a;b", "password": SECRET}, "realm"),
        ({"number": "office"}, "number"),
        ({"priority": -1}, "priority"),
        ({"status": "asleep"}, "status"),
    ],
)
def test_bad_input_names_the_field_and_makes_nothing(server, fields, field):
    before = server.admin.get("/admin/trunk/").json()
    refused = server.admin.post("/admin/trunk/", json={"name": "Carrier", "host": "192.0.2.7"} | fields)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert server.admin.get("/admin/trunk/").json() == before


def test_another_login_or_realm_needs_the_password_again(server):
    made = make(server, login="line7", password=SECRET, realm="carrier.test")
    for moved in ({"login": "line8"}, {"realm": "another.test"}):
        refused = server.admin.put(one(made), json=moved)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "password")
        assert server.admin.put(one(made), json=moved | {"password": SECRET}).status_code == 200
    before = kept(server, made)["ha1_md5"]
    assert server.admin.put(one(made), json={"host": "198.51.100.1", "login": "line8"}).status_code == 200
    assert kept(server, made)["ha1_md5"] == before


def test_without_a_login_nothing_is_kept_of_the_password(server):
    made = make(server, login="line7", password=SECRET, register=True)
    assert server.admin.put(one(made), json={"login": None}).json()["errors"][0]["field"] == "register"
    cleared = server.admin.put(one(made), json={"login": None, "register": False}).json()
    assert (cleared["login"], cleared["realm"], cleared["register"]) == (None, None, False)
    assert kept(server, made)["ha1_md5"] is None


def test_a_change_that_changes_nothing_leaves_nothing(server, told):
    made = make(server, login="line7", password=SECRET)
    before = told()
    assert server.admin.put(one(made), json=made).json() == made
    assert told() == before


def test_a_clients_trunks_go_with_it(server, told):
    gone = server.tenant()
    made = make(server, client_id=gone.id)
    assert server.admin.delete(f"/admin/client/{gone.id}").status_code == 204
    assert server.admin.get(one(made)).status_code == 404
    assert ("trunk", str(made["id"])) in told()[2:]


def test_nobody_but_an_administrator_sees_them(server, tenant):
    made = make(server, client_id=tenant.id)
    for answer in (tenant.api.get("/admin/trunk/"), tenant.api.get(one(made)), tenant.api.delete(one(made))):
        assert (answer.status_code, answer.json()["status"]) == (403, "access_denied")
