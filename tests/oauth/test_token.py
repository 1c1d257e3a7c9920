"""`/oauth/token` and `/oauth/revoke`: the contract's page, "Endpoints" and "Using it"."""

import base64
import re
import secrets
from datetime import timedelta

import pytest
from parts import look
from sqlalchemy import select

from peal.audit.tables import audit
from peal.kit import dates
from peal.kit.digests import digest
from peal.oauth.tables import application, token


@pytest.fixture(scope="module")
def tenant(server):
    """One client for all that leaves it as it is."""
    return server.tenant()


def form(api, **more):
    return {"grant_type": "client_credentials", **api.keys, **more}


def ask(server, **request):
    return server.web.post("/oauth/token", **request)


def basic(api):
    pair = f"{api.keys['client_id']}:{api.keys['client_secret']}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def opens(server, access_token, header="Authorization"):
    answer = server.web.get("/api/ver1.0/user/", headers={header: f"Bearer {access_token}"})
    return answer.status_code == 200


def error(answer):
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert body["error_description"]
    return answer.status_code, body["error"]


WAYS = {
    "urlencoded body": lambda api: {"data": form(api)},
    "multipart body": lambda api: {"files": {name: (None, value) for name, value in form(api).items()}},
    "query and an empty body": lambda api: {"params": form(api)},
    "query and an empty urlencoded body": lambda api: {
        "params": form(api),
        "headers": {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": "0"},
    },
    "query and an empty JSON body": lambda api: {
        "params": form(api),
        "headers": {"Content-Type": "application/json"},
    },
    "HTTP Basic": lambda api: {"data": {"grant_type": "client_credentials"}, "headers": basic(api)},
    "HTTP Basic and a query": lambda api: {
        "params": {"grant_type": "client_credentials"},
        "headers": basic(api),
    },
    "scope=all": lambda api: {"data": form(api, scope="all")},
    "unknown parameters": lambda api: {"data": form(api, redirect_uri="", state="x")},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_token_is_given_for(server, tenant, way):
    answer = ask(server, **WAYS[way](tenant.api))
    assert answer.status_code == 200
    body = answer.json()
    assert re.fullmatch("[A-Za-z0-9]{30}", body.pop("access_token"))
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "all"}
    assert answer.headers["cache-control"] == "no-store"
    assert opens(server, answer.json()["access_token"])


def test_every_token_is_another(server, tenant):
    tokens = {ask(server, data=form(tenant.api)).json()["access_token"] for _ in range(20)}
    assert len(tokens) == 20
    assert all(opens(server, one) for one in tokens)


REFUSALS = {
    "a wrong secret": ({"client_secret": "0" * 32}, 401, "invalid_client"),
    "another's secret": ({"client_secret": None}, 401, "invalid_client"),
    "no secret": ({"client_secret": ""}, 401, "invalid_client"),
    "an unknown application": ({"client_id": "0" * 32}, 401, "invalid_client"),
    "an application id that can't be one": ({"client_id": "' OR 1=1 --\0é"}, 401, "invalid_client"),
    "no grant type": ({"grant_type": ""}, 400, "invalid_request"),
    "an unknown grant type": ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
    "a scope that there is not": ({"scope": "most"}, 400, "invalid_scope"),
    "one scope more": ({"scope": "all most"}, 400, "invalid_scope"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_no_token_is_given_for(server, tenant, what):
    change, status, word = REFUSALS[what]
    sent = form(tenant.api, **change)
    if sent["client_secret"] is None:
        sent["client_secret"] = server.tenant().api.keys["client_secret"]
    for way in ("data", "params"):
        assert error(ask(server, **{way: sent})) == (status, word)


@pytest.mark.parametrize(
    "request_",
    [{}, {"json": {"grant_type": "client_credentials"}}, {"content": b"\xff\0%", "params": {"x": "y"}}],
    ids=["nothing", "JSON", "rubbish"],
)
def test_a_request_without_parameters_is_invalid(server, request_):
    assert error(ask(server, **request_)) == (400, "invalid_request")


@pytest.mark.parametrize("broken", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_invalid(server, broken):
    answer = ask(server, content=b"\xff--x\r\n", headers={"Content-Type": broken})
    assert error(answer) == (400, "invalid_request")


@pytest.mark.parametrize("value", ["Basic", "Basic ###", "Basic /w==", "Basic " + "QQ" * 40])
def test_broken_basic_credentials_are_wrong_credentials(server, value):
    answer = ask(server, data={"grant_type": "client_credentials"}, headers={"Authorization": value})
    assert error(answer) == (401, "invalid_client")


def test_what_is_in_the_body_wins_over_the_query(server, tenant):
    wrong = form(tenant.api, client_secret="0" * 32)
    assert ask(server, params=wrong, data=form(tenant.api)).status_code == 200


@pytest.mark.parametrize("kind", ["public", "password_credentials"])
def test_the_grant_is_for_trusted_applications_alone(server, kind):
    api = server.tenant().api
    theirs = application.c.public_id == api.keys["client_id"]
    look(server.database, application.update().where(theirs).values(type=kind))
    assert error(ask(server, data=form(api))) == (400, "unauthorized_client")


def test_a_disabled_application_gets_no_token(server):
    api = server.tenant().api
    theirs = application.c.public_id == api.keys["client_id"]
    look(server.database, application.update().where(theirs).values(enabled=False))
    assert error(ask(server, data=form(api))) == (401, "invalid_client")


def test_secret_and_token_are_stored_as_hashes(server, tenant):
    given = ask(server, data=form(tenant.api)).json()["access_token"]
    applications, tokens = look(server.database, select(application), select(token))
    secret = tenant.api.keys["client_secret"]
    stored = f"{applications}{tokens}"
    assert digest(secret) in stored
    assert digest(given) in stored
    assert secret not in stored
    assert given not in stored


def test_the_token_acts_as_the_user_who_made_the_application(server, tenant):
    user = tenant.api.get("/user/").json()
    assert user["client_id"] == tenant.id
    assert server.admin.get("/user/").json()["admin"] is True


@pytest.mark.parametrize("header", ["authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
def test_the_headers_name_may_be_in_any_case(server, tenant, header):
    assert opens(server, tenant.api.token, header)


def test_a_revoked_token_opens_nothing_at_once(server, tenant):
    given = ask(server, data=form(tenant.api)).json()["access_token"]
    assert opens(server, given)
    answer = server.web.post("/oauth/revoke", data={**tenant.api.keys, "token": given})
    assert answer.status_code == 200
    assert not opens(server, given)
    assert opens(server, tenant.api.token)


@pytest.mark.parametrize("way", ["data", "params"])
def test_revoking_an_unknown_token_is_no_error(server, tenant, way):
    for unknown in ("x", "é\0", "x" * 30):
        sent = {**tenant.api.keys, "token": unknown, "token_type_hint": "access_token"}
        assert server.web.post("/oauth/revoke", **{way: sent}).status_code == 200


def test_revoking_needs_the_applications_own_credentials(server, tenant):
    other = server.tenant().api
    url = "/oauth/revoke"
    wrong = {**tenant.api.keys, "client_secret": "0" * 32, "token": tenant.api.token}
    assert error(server.web.post(url, data=wrong)) == (401, "invalid_client")
    assert error(server.web.post(url, data=tenant.api.keys)) == (400, "invalid_request")
    assert server.web.post(url, data={**other.keys, "token": tenant.api.token}).status_code == 200
    assert opens(server, tenant.api.token)


def test_old_tokens_of_an_application_go(server):
    api = server.tenant().api
    expired = token.c.token_hash == digest(api.token)
    past = dates.now() - timedelta(hours=2)
    look(server.database, token.update().where(expired).values(expires_at=past))
    ask(server, data=form(api))
    assert look(server.database, select(token).where(expired)) == [[]]


def test_secrets_in_a_query_never_reach_the_log(server, tenant):
    mark = secrets.token_hex(8)
    given = ask(server, params=form(tenant.api), headers={"X-Request-Id": mark}).json()["access_token"]
    server.web.post("/oauth/revoke", params={**tenant.api.keys, "token": given})
    server.web.get("/api/ver1.0/user/", params={"access_token": given})
    server.web.get("/nowhere", params=form(tenant.api))
    log = server.log.read_text()
    assert mark in log
    for secret in (*tenant.api.keys.values(), given, "grant_type"):
        assert secret not in log


def test_a_wrong_method_is_told_so(server):
    answer = server.web.get("/oauth/token")
    assert (answer.status_code, answer.json()["status"]) == (405, "method_not_allowed")


def test_an_audit_row_of_a_new_application_holds_no_secret(server, tenant):
    (rows,) = look(server.database, select(audit).where(audit.c.action == "application:create"))
    assert rows
    assert not any(set(row["new"]) & {"secret_hash", "client_secret", "public_id"} for row in rows)
    assert tenant.api.keys["client_secret"] not in f"{rows}"
