"""Who may do what: every route of the application, asked by everybody who should be refused."""

from contextlib import contextmanager
from datetime import timedelta
from itertools import product

import httpx
import pytest
from parts import NO_TLS, contents, look
from sqlalchemy import select, update
from walk import PREFIX, Household, late, operations

from peal.kit import dates
from peal.oauth.tables import application, token
from peal.users.tables import user

PUBLIC = {
    "GET /api/ver1.0/client_api_explorer",
    "GET /api/ver1.0/client_api_explorer/{name}",
    "GET /api/ver1.0/openapi.json",
    "GET /api/ver1.0/_openapi",
    "GET /api/ver1.0/_openapi/openapi.json",
    "GET /api/ver1.0/_openapi/{path}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "POST /oauth/token",
    "POST /oauth/revoke",
}
"""What answers without a token; all else must not."""

READABLE_BY_AN_EXTENSION = {
    "GET /api/ver1.0/user",
    "GET /api/ver1.0/client/{client_id}/extension",
    "GET /api/ver1.0/client/{client_id}/extension/{extension_id}",
    "GET /api/ver1.0/extension/{extension_id}/phone",
    "GET /api/ver1.0/extension/{extension_id}/ani",
    "GET /api/ver1.0/extension/{extension_id}/cdr",
    "GET /api/ver1.0/extension/{extension_id}/record",
    "GET /api/ver1.0/extension/call_property",
}

BODILESS = ("/secret", "/replay")
"""Ends of paths whose POST has nothing to say but that it be done."""

CALL_API = ("/event", "/phone_events")
"""Parts of paths that an application of access `Call API` may write to."""

ALL = operations("/")
GUARDED = [operation for operation in ALL if str(operation) not in PUBLIC]
WRITES = [operation for operation in GUARDED if operation.writes]
READS = [operation for operation in GUARDED if not operation.writes]
UNAUTHORIZED = (401, {"message": "Unauthorized", "status": 401})


def is_admin(operation):
    return operation.path.startswith(PREFIX + "/admin/")


def is_live(operation):
    """Whether it asks the SIP service, which is not there."""
    return operation.path.endswith(("/registration", "/callback")) or "/current_calls" in operation.path


def word(answer):
    return answer.status_code, answer.json().get("status")


@pytest.fixture(scope="module")
def server(own_server):
    """One whose tables are compared, and therefore small."""
    return own_server


@pytest.fixture(scope="module")
def house(server):
    """The client whose things others ask for."""
    return Household(server.tenant()).furnish()


@pytest.fixture(scope="module")
def stranger(server):
    """Another client."""
    return Household(server.tenant()).furnish()


@contextmanager
def unchanged(server):
    """Nothing may differ afterwards in any table but those of tokens and counts."""
    passing = ("access_token", "rate_count")
    before = contents(server.database, without=passing)
    yield
    assert contents(server.database, without=passing) == before


def refused(server, api, house, status, expected):
    """Every route answers the token with this refusal, and nothing changes."""
    with unchanged(server):
        for operation in GUARDED:
            assert word(house.send(api, operation)) == (status, expected), operation


def owner(api):
    """The user that a token acts as; while it is unused the server remembers nothing of it."""
    return select(application.c.user_id).where(application.c.public_id == api.keys["client_id"])


def test_the_walk_finds_the_routes():
    assert {str(operation) for operation in ALL} >= PUBLIC
    assert len(WRITES) >= 20
    bodies = [o for o in WRITES if o.method in ("POST", "PUT") and not o.path.endswith(BODILESS)]
    assert all(operation.schema for operation in bodies)


def test_the_owner_is_let_through_everywhere(server):
    """So what others are refused is not the walk's own fault."""
    house = Household(server.tenant()).furnish()
    order = ["GET", "PUT", "POST", "DELETE"]
    for operation in sorted(GUARDED, key=lambda o: (order.index(o.method), *late(o))):
        answer = house.send(server.admin if is_admin(operation) else house.tenant.api, operation)
        expected = (503,) if is_live(operation) else (200, 201, 204)
        assert answer.status_code in expected, f"{operation}: {answer.text}; see tests/walk.py"


def test_every_write_of_the_owner_changes_something(server):
    """So nothing that is refused below would have been without effect anyway."""
    house = Household(server.tenant()).furnish()
    writes = [operation for operation in WRITES if not is_live(operation)]
    for operation in sorted(writes, key=lambda o: (o.method == "DELETE", *late(o))):
        before = contents(server.database, without=("access_token", "rate_count", "audit", "change_log"))
        house.send(server.admin if is_admin(operation) else house.tenant.api, operation)
        after = contents(server.database, without=("access_token", "rate_count", "audit", "change_log"))
        assert before != after, operation


def test_a_strangers_token_reaches_nothing_of_another_client(server, house, stranger):
    with unchanged(server):
        for operation, places in strange_requests(house, stranger):
            answer = stranger.send(stranger.tenant.api, operation, **places)
            told = f"{operation} {places}: {answer.text}"
            assert answer.status_code == (403 if is_admin(operation) else 404), told
            assert house.marker not in answer.text, told


def strange_requests(house, stranger):
    """Every operation with every mixture of own and foreign ids that has a foreign one."""
    mine, theirs = stranger.ids, house.ids
    for operation in GUARDED:
        names = operation.parameters
        choices = [[theirs[name], mine[name], *(["@me"] * (name == "client_id"))] for name in names]
        for chosen in product(*choices):
            places = dict(zip(names, chosen, strict=True))
            if any(place == theirs[name] for name, place in places.items()):
                yield operation, places


def test_a_strangers_token_finds_no_extension_by_its_full_name(server, house, stranger):
    number = house.tenant.api.get(f"/client/@me/extension/{house.ids['extension_id']}").json()["name"]
    with unchanged(server):
        for operation in GUARDED:
            if "extension_id" in operation.parameters:
                for client in ("@me", house.tenant.id):
                    places = {"client_id": client, "extension_id": f"@{number}"}
                    answer = stranger.send(stranger.tenant.api, operation, **places)
                    assert answer.status_code == 404, f"{operation}: {answer.text}"


def test_no_listing_shows_what_is_a_strangers(house, stranger):
    shown = 0
    for operation in READS:
        if set(operation.parameters) <= {"client_id"}:
            answer = stranger.send(stranger.tenant.api, operation)
            assert house.marker not in answer.text, operation
            shown += stranger.marker in answer.text
    assert shown >= 5


def test_a_body_moves_nothing_to_another_client(house, stranger):
    own = stranger.ids["extension_id"]
    foreign = {"client_id": house.tenant.id, "id": house.ids["extension_id"]}
    answer = stranger.tenant.api.put(f"/client/@me/extension/{own}", json=foreign)
    assert (answer.json()["id"], answer.json()["client_id"]) == (own, stranger.tenant.id)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"access": "read_only"}, "user_access_type_deny"),
        ({"application": "Call API"}, "app_access_type_deny"),
    ],
    ids=["read_only user", "Call API application"],
)
def test_who_may_only_read_reads_all_and_writes_nothing_but_live_calls_by_a_call_api(
    server, house, options, expected
):
    api = server.api(house.tenant.id, **options)
    with unchanged(server):
        for operation in GUARDED:
            if expected == "app_access_type_deny" and any(part in operation.path for part in CALL_API):
                continue
            answer = house.send(api, operation)
            if is_live(operation) and options.get("application"):
                assert word(answer) == (503, "switch_unavailable"), operation
            elif operation.writes:
                assert word(answer) == (403, expected), operation
            elif is_admin(operation):
                assert word(answer) == (403, "access_denied"), operation
            else:
                assert answer.status_code == (503 if is_live(operation) else 200), operation


def test_an_extensions_user_reaches_its_own_and_writes_nothing_else(server, house):
    api = server.api(house.tenant.id, extension=house.ids["extension_id"])
    with unchanged(server):
        for operation in GUARDED:
            answer = house.send(api, operation)
            told = f"{operation}: {answer.text}"
            if str(operation) in READABLE_BY_AN_EXTENSION:
                assert answer.status_code == 200, told
            elif is_live(operation) and "{client_id}" not in operation.path and not operation.writes:
                assert answer.status_code == 503, told
            else:
                assert word(answer) == (403, "access_denied"), told
            assert f"other of {house.marker}" not in answer.text, told


def test_an_extensions_user_finds_no_other_extension(server, house, stranger):
    api = server.api(house.tenant.id, extension=house.ids["extension_id"])
    number = f"@{house.tenant.client['prefix']}*100"  # the household's other phone
    with unchanged(server):
        for operation in GUARDED:
            if "extension_id" in operation.parameters:
                for other in (house.other, stranger.other, "@100", number):
                    answer = house.send(api, operation, extension_id=other)
                    assert answer.status_code in (403, 404), f"{operation}: {answer.text}"


def test_an_extensions_user_sees_itself_alone_in_the_list(server, house):
    api = server.api(house.tenant.id, extension=house.ids["extension_id"])
    listed = api.get(f"/client/{house.tenant.id}/extension/").json()
    assert [one["id"] for one in listed] == [house.ids["extension_id"]]


def test_an_extensions_user_changes_its_label_and_password_alone(server, house):
    own = house.ids["extension_id"]
    api = server.api(house.tenant.id, extension=own)
    extension = f"/client/{house.tenant.id}/extension/{own}"
    assert api.put("/extension/@me/phone/", json={"label": "Ann"}).json()["label"] == "Ann"
    assert api.put("/extension/@me/phone/", json={"password": "generate"}).json()["password"]
    assert api.put(extension, json={"label": "Ann's"}).json()["label"] == "Ann's"
    for path, change in (
        ("/extension/@me/phone/", {"incoming_limit": 99}),
        ("/extension/@me/phone/", {"label": "Eve", "auth_type": "both"}),
        (extension, {"status": "blocked"}),
        (extension, {"label": "Eve", "caller_id_name": "Eve"}),
    ):
        before = api.get(path).json()
        assert word(api.put(path, json=change)) == (403, "access_denied"), change
        assert api.get(path).json() == before


def test_an_extensions_user_may_send_the_whole_form_back(server, house):
    own = house.ids["extension_id"]
    api = server.api(house.tenant.id, extension=own)
    for path in ("/extension/@me/phone/", f"/client/{house.tenant.id}/extension/{own}"):
        form = api.get(path).json() | {"label": "From a form"}
        answer = api.put(path, json=form)
        assert (answer.status_code, answer.json()) == (200, form)


def test_a_blocked_user_is_refused_everywhere(server, house):
    api = server.api(house.tenant.id)
    look(server.database, update(user).where(user.c.id.in_(owner(api))).values(status="blocked"))
    refused(server, api, house, 403, "user_blocked")


def test_a_blocked_clients_user_is_refused_everywhere_until_it_is_active_again(server):
    house = Household(server.tenant()).furnish()
    path = f"/admin/client/{house.tenant.id}"
    assert server.admin.put(path, json={"status": "blocked"}).status_code == 200
    refused(server, house.tenant.api, house, 403, "user_blocked")
    server.admin.put(path, json={"status": "active"})
    assert house.tenant.api.get("/user/").status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer " + "x" * 30, "Basic eDp5"])
def test_without_a_good_token_every_route_is_closed(server, house, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    with (
        httpx.Client(base_url=house.tenant.api.base_url, headers=headers, verify=NO_TLS) as nobody,
        unchanged(server),
    ):
        for operation in GUARDED:
            answer = house.send(nobody, operation)
            assert (answer.status_code, answer.json()) == UNAUTHORIZED, operation
            assert answer.headers["www-authenticate"] == "Bearer"


def test_an_expired_token_opens_nothing(server, house):
    api = server.api(house.tenant.id)
    past = dates.now() - timedelta(seconds=1)
    look(server.database, update(token).where(token.c.user_id.in_(owner(api))).values(expires_at=past))
    refused(server, api, house, 401, 401)


def test_a_disabled_applications_token_opens_nothing(server, house):
    api = server.api(house.tenant.id)
    theirs = application.c.public_id == api.keys["client_id"]
    look(server.database, update(application).where(theirs).values(enabled=False))
    refused(server, api, house, 401, 401)


def test_a_token_in_the_query_is_no_token(server, house):
    answer = server.web.get(f"{PREFIX}/user/", params={"access_token": house.tenant.api.token})
    assert (answer.status_code, answer.json()) == UNAUTHORIZED
