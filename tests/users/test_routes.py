"""`/user/`: the token's user; and how users are kept."""

import pytest
from argon2 import PasswordHasher
from parts import look, peal
from sqlalchemy import select

from peal.audit.tables import audit
from peal.users.tables import user

KEYS = {
    "id",
    "login",
    "admin",
    "access",
    "client_id",
    "extension_id",
    "extension_group_id",
    "dealer_id",
    "timezone",
    "extra_params",
}


def test_a_clients_user(server, tenant):
    shown = tenant.api.get("/user/").json()
    assert set(shown) == KEYS
    assert isinstance(shown.pop("id"), int)
    assert shown.pop("login").startswith("u")
    assert shown == {
        "admin": False,
        "access": "full",
        "client_id": tenant.id,
        "extension_id": None,
        "extension_group_id": None,
        "dealer_id": None,
        "timezone": "Europe/Moscow",
        "extra_params": None,
    }


def test_a_read_only_user(server, tenant):
    assert server.api(tenant.id, access="read_only").get("/user/").json()["access"] == "read_only"


def test_an_extensions_user(server, tenant):
    extension = tenant.extension()
    shown = server.api(tenant.id, extension=extension).get("/user/").json()
    assert (shown["admin"], shown["client_id"], shown["extension_id"]) == (False, tenant.id, extension)


def test_an_administrator(server):
    shown = server.admin.get("/user/").json()
    assert set(shown) == KEYS
    assert (shown["admin"], shown["client_id"], shown["extension_id"]) == (True, None, None)


def make(database, login, password, *, ok=True):
    command = ("user", "create", "--admin", "--login", login, "--password-stdin")
    return peal(database, *command, stdin=f"{password}\n", ok=ok)


def test_a_password_is_kept_as_argon2_and_told_nowhere(database):
    peal(database, "migrate")
    password = "correct horse battery"
    made = make(database, "ann", password)
    ((row,), (trace,)) = look(database, select(user), select(audit))
    assert row["password_hash"].startswith("$argon2id$")
    assert PasswordHasher().verify(row["password_hash"], password)
    assert (trace["action"], trace["object_id"], trace["request_id"]) == ("user:create", made["id"], "cli")
    assert trace["new"]["login"] == "ann"
    assert "password" not in repr(trace)
    assert password not in repr((made, trace))


def test_a_login_is_unique(database):
    peal(database, "migrate")
    make(database, "ann", "a long password")
    assert make(database, "ann", "a long password", ok=False)["stderr"] == "peal: login: ann is taken\n"


@pytest.mark.parametrize("password", ["", "seven77"])
def test_a_short_password_is_refused_and_not_told_back(password, tmp_path):
    database = f"sqlite:///{tmp_path / 'peal.db'}"
    told = make(database, "ann", password, ok=False)
    assert (told["code"], told["stderr"]) == (1, "peal: password: must have 8 characters or more\n")
    assert look(database, select(user)) == [[]]
