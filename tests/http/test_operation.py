"""What those who run the service rely on: health, logs, request ids, verbs, slashes."""

import json
import re
import secrets
from datetime import timedelta

import httpx
import pytest
from parts import look, own_postgres, serving, until
from sqlalchemy import select
from walk import Household, late, operations

from peal.audit.tables import audit
from peal.kit import dates

ALL = operations("/")
MOVING = ("/metrics", "/api/ver1.0/client/{client_id}/stream")
"""What may say something else a moment later."""
READS = [operation for operation in ALL if operation.method == "GET"]
PATHS = sorted({operation.path for operation in ALL})


@pytest.fixture(scope="module")
def server(own_server):
    """One whose log is all of these tests'."""
    return own_server


@pytest.fixture(scope="module")
def house(server):
    return Household(server.tenant(), ids={"name": "index.html", "path": "x"}).furnish()


def lines(server, request_id):
    """The log lines of a request, once there are any: they are written after the answer."""
    told = until(lambda: [line for line in server.log.read_text().splitlines() if request_id in line])
    return [json.loads(line) for line in told]


def test_it_says_that_it_lives_and_is_ready(server):
    for path, state in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = server.web.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": state})


def test_metrics_count_requests_by_route_and_status(server, house):
    def count():
        name = 'peal_http_requests_total{method="GET",route="/api/ver1.0/extension/{extension_id}/phone"'
        text = server.web.get("/metrics").text
        found = re.search(re.escape(name) + r',status="404"} (\S+)', text)
        return float(found[1]) if found else 0

    before = count()
    for _ in range(3):
        house.tenant.api.get("/extension/999999999/phone/")
    assert count() == before + 3


def test_metrics_hold_no_ids_of_objects(server, house):
    api = house.tenant.api
    api.get(f"/extension/{house.ids['extension_id']}/phone/")
    server.web.get(f"/{house.marker}")
    answer = server.web.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert house.marker not in answer.text
    assert f"/{house.ids['extension_id']}/" not in answer.text


@pytest.mark.parametrize("given", ["abc-DEF_1.2", "f" * 64])
def test_a_given_request_id_comes_back(server, given):
    for path in ("/healthz", "/nowhere", "/api/ver1.0/user/"):
        answer = server.web.get(path, headers={"X-Request-Id": given})
        assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", [None, "", "f" * 65, "a b", 'a"b', "é".encode()])
def test_without_a_good_one_a_request_id_is_made(server, given):
    headers = {} if given is None else {"X-Request-Id": given}
    ids = {server.web.get("/healthz", headers=headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_a_request_leaves_one_line_without_its_query(server, house):
    mark, query = secrets.token_hex(8), secrets.token_hex(8)
    path = "/client/@me/extension/"
    house.tenant.api.get(path, params={"name": query}, headers={"X-Request-Id": mark})
    (line,) = lines(server, mark)
    login = house.tenant.api.get("/user/").json()["login"]
    told = {k: line[k] for k in ("event", "level", "method", "status", "user")}
    assert told == {"event": "request", "level": "info", "method": "GET", "status": 200, "user": login}
    assert line["path"].rstrip("/") == "/api/ver1.0/client/@me/extension"
    assert 0 < line["ms"] < 60_000
    assert query not in server.log.read_text()


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/api/ver1.0/user/", 401), ("/healthz", 200)]
)
def test_a_request_of_nobody_leaves_one_line_too(server, path, status):
    mark = secrets.token_hex(8)
    server.web.get(path, headers={"X-Request-Id": mark})
    (line,) = lines(server, mark)
    assert (line["status"], line["user"]) == (status, None)


def test_an_audit_row_names_the_request_and_who_asked(server):
    tenant, mark = server.tenant(), secrets.token_hex(8)
    made = {"name": "100", "type": "phone"}
    tenant.api.post("/client/@me/extension/", json=made, headers={"X-Request-Id": mark})
    ((row,),) = look(server.database, select(audit).where(audit.c.request_id == mark))
    assert row["user_id"] == tenant.api.get("/user/").json()["id"]
    assert (row["client_id"], row["address"]) == (tenant.id, "127.0.0.1")
    assert abs(row["at"] - dates.now()) < timedelta(minutes=1)


def test_with_and_without_a_slash_the_answer_is_the_same(house):
    for operation in READS:
        bare = house.send(house.tenant.api, operation)
        slashed = house.send(house.tenant.api, operation, slash="/")
        assert not bare.is_redirect, operation
        assert not slashed.is_redirect, operation
        assert bare.status_code == slashed.status_code, operation
        if operation.path not in MOVING:
            assert bare.content == slashed.content, operation


def test_no_write_is_redirected_either(server, house):
    api = server.api(house.tenant.id, access="read_only")
    for operation in ALL:
        if operation.writes:
            answers = [house.send(api, operation, slash=slash) for slash in ("", "/")]
            assert [a.status_code for a in answers] in ([403, 403], [400, 400]), operation


def test_head_answers_as_get_without_a_body(house):
    for operation in READS:
        got, head = (house.send(house.tenant.api, operation, method=method) for method in ("GET", "HEAD"))
        assert head.status_code == got.status_code, operation
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"], operation
        if operation.path not in MOVING:
            assert head.headers["content-length"] == str(len(got.content)), operation


def test_options_and_a_405_name_the_verbs(house):
    for path in PATHS:
        here = [operation for operation in ALL if operation.path == path]
        options, wrong = (house.send(house.tenant.api, here[0], method=m) for m in ("OPTIONS", "PATCH"))
        assert (options.status_code, options.content) == (204, b""), path
        for answer in (options, wrong):
            allowed = set(answer.headers["allow"].split(", "))
            assert allowed >= {operation.method for operation in here}, path


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "PROPFIND"])
def test_a_verb_that_a_route_does_not_know_is_a_405(house, method):
    for path in PATHS:
        here = [operation for operation in ALL if operation.path == path]
        answer = house.send(house.tenant.api, here[0], method=method)
        assert answer.status_code == 405, path
        assert answer.json()["status"] == "method_not_allowed"
        assert answer.json()["message"]


def test_an_unknown_path_is_a_404(server, house):
    for path in ("/", "/nowhere", "/api/ver1.0", "/api/ver1.0/nowhere/", "/api/ver2.0/user/"):
        answer = server.web.get(path)
        assert (answer.status_code, answer.json()) == (404, {"message": "Not found"}), path


HABITS = {
    "a content type and no body": {"Content-Type": "application/json"},
    "a form's content type": {"Content-Type": "application/x-www-form-urlencoded"},
    "no length": {"Content-Type": "application/json", "Content-Length": "0"},
    "gzip": {"Accept-Encoding": "gzip"},
    "several codings": {"Accept-Encoding": "gzip, deflate, br;q=0.5, *;q=0"},
    "any type": {"Accept": "*/*"},
    "XML": {"Accept": "application/xml"},
    "no type": {"Accept": ""},
}


@pytest.mark.parametrize("habit", HABITS)
def test_reads_tolerate(house, habit):
    for operation in READS:
        plain = house.send(house.tenant.api, operation)
        answer = house.send(house.tenant.api, operation, headers=HABITS[habit])
        assert answer.status_code == plain.status_code, operation
        if operation.path not in MOVING:
            assert answer.content == plain.content, operation


@pytest.mark.parametrize("habit", HABITS)
def test_deletes_tolerate(server, habit):
    house = Household(server.tenant()).furnish()
    for operation in sorted(ALL, key=late):
        if operation.method == "DELETE" and "bundle" not in operation.path:
            api = server.admin if "/admin/" in operation.path else house.tenant.api
            answer = house.send(api, operation, headers=HABITS[habit])
            if "current_calls" in operation.path:  # it ends a call, and no switch runs here
                assert (answer.status_code, answer.json()["status"]) == (503, "switch_unavailable")
            else:
                assert (answer.status_code, answer.content) == (204, b""), operation


def test_nothing_above_was_unexpected(server, house):
    events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert [e for e in events if e.get("level") in ("error", "critical", "warning")] == []


def test_a_database_that_is_away_makes_it_not_ready_until_it_is_back(tmp_path):
    with own_postgres() as cluster, serving(cluster.database(), tmp_path) as server:
        cluster.stop()
        for _ in range(2):
            check_not_ready(server.web.get("/readyz"))
        assert server.web.get("/healthz").status_code == 200
        cluster.start()
        until(server.is_ready)
        assert server.tenant().extension()


def check_not_ready(answer: httpx.Response):
    assert answer.status_code == 503
    body = answer.json()
    assert (set(body), body["status"]) == ({"message", "status"}, "database_unavailable")
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


def test_a_database_that_takes_no_connection_makes_it_not_ready(postgres, tmp_path):
    url = postgres.database()
    name = url.rpartition("/")[2]
    with serving(url, tmp_path, database_connections=1) as server:
        postgres._sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres._sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        check_not_ready(server.web.get("/readyz"))
        check_not_ready(server.web.get("/readyz"))
        postgres._sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        until(server.is_ready)
