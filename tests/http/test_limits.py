"""Requests per hour: "per client and hour, each application with its own limit"."""

import asyncio
import secrets
import time

import pytest
from parts import peal, serving
from sqlalchemy import delete, insert, select
from workers import one_connection_per_worker

from peal.db.engine import Database
from peal.errors import TooManyRequests
from peal.http.limits import HourlyLimit
from peal.oauth.tables import application, rate_count
from peal.users.tables import user

HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def numbers(answer):
    return [int(answer.headers[name]) for name in HEADERS]


def test_an_answer_says_how_many_are_left(server):
    api = server.api(server.tenant().id, rate_limit=10)
    first, second = api.get("/user/"), api.get("/extension/999999999/phone/")
    assert second.status_code == 404
    assert [numbers(answer)[:2] for answer in (first, second)] == [[10, 9], [10, 8]]
    assert 0 < numbers(first)[2] <= 3600


def test_beyond_the_limit_nothing_is_done(server):
    tenant = server.tenant()
    api = server.api(tenant.id, rate_limit=2)
    for _ in range(2):
        assert api.get("/user/").status_code == 200
    answer = api.post("/client/@me/extension/", json={"name": "100", "type": "phone"})
    assert answer.status_code == 429
    assert answer.json() == {"message": "Rate limit exceeded", "status": "rate_limit_exceeded"}
    assert numbers(answer)[:2] == [2, 0]
    assert tenant.api.get("/client/@me/extension/").json() == []


def test_each_application_has_its_own(server):
    tenant = server.tenant()
    one, other = (server.api(tenant.id, rate_limit=limit) for limit in (1, 5))
    assert [one.get("/user/").status_code for _ in range(2)] == [200, 429]
    assert numbers(other.get("/user/"))[:2] == [5, 4]


def test_zero_is_no_limit_and_no_headers(server):
    api = server.api(server.tenant().id, rate_limit=0)
    answers = [api.get("/user/") for _ in range(3)]
    assert all(answer.status_code == 200 for answer in answers)
    assert not any(name in answer.headers for answer in answers for name in HEADERS)


def test_refusals_carry_the_headers_too(server):
    api = server.api(server.tenant().id, rate_limit=9, access="read_only")
    answer = api.post("/client/@me/extension/", json={})
    assert (answer.status_code, numbers(answer)[:2]) == (403, [9, 8])


@pytest.mark.parametrize("path", ["/oauth/token", "/healthz", "/api/ver1.0/client_api_explorer/"])
def test_what_needs_no_token_has_no_limit(server, path):
    api = server.api(server.tenant().id, rate_limit=1)
    form = {"grant_type": "client_credentials", **api.keys}
    for _ in range(3):
        answer = server.web.post(path, data=form) if "oauth" in path else server.web.get(path)
        assert answer.status_code == 200
        assert not any(name in answer.headers for name in HEADERS)
    assert api.get("/user/").status_code == 200


def test_a_fresh_token_makes_no_fresh_hour(server):
    api = server.api(server.tenant().id, rate_limit=1)
    api.get("/user/")
    form = {"grant_type": "client_credentials", **api.keys}
    token = server.web.post("/oauth/token", data=form).json()["access_token"]
    assert api.get("/user/", headers={"Authorization": f"Bearer {token}"}).status_code == 429


def test_the_setting_is_the_default_of_applications(database, tmp_path):
    with serving(database, tmp_path, rate_limit=7) as server:
        api = server.api(server.tenant().id, rate_limit=None)
        assert numbers(api.get("/user/"))[:2] == [7, 6]


def test_the_default_is_ten_thousand(server):
    api = server.api(server.tenant().id, rate_limit=None)
    assert numbers(api.get("/user/"))[:2] == [10_000, 9_999]


def test_two_workers_count_together_within_about_a_second(database, tmp_path):
    with serving(database, tmp_path, workers=2) as server:
        here, there = one_connection_per_worker(server)
        api = server.api(server.tenant().id, rate_limit=1_000_000)
        path, bearer = "/api/ver1.0/user/", {"Authorization": f"Bearer {api.token}"}
        for _ in range(50):
            here.get(path, headers=bearer)
        deadline, sent, left = time.monotonic() + 3, 0, 1_000_000
        while left > 1_000_000 - 50 - sent:
            assert time.monotonic() < deadline, (left, sent)
            left, sent = numbers(there.get(path, headers=bearer))[1], sent + 1
        assert left == 1_000_000 - 50 - sent


def with_applications(database, count, play):
    """Run `play` on the database and the ids of so many applications."""

    async def run():
        opened = Database(database, connections=2)
        try:
            await play(opened, [await an_application(opened) for _ in range(count)])
        finally:
            await opened.close()

    asyncio.run(run())


async def an_application(opened):
    name = secrets.token_hex(16)
    person = {"login": name, "password_hash": "", "name": name, "role": "admin"}
    async with opened.write() as connection:
        user_id = (await connection.execute(insert(user).values(person).returning(user.c.id))).scalar_one()
        row = {"user_id": user_id, "name": name, "public_id": name, "secret_hash": "", "type": "trusted"}
        made = insert(application).values(row | {"access": "All"}).returning(application.c.id)
        return (await connection.execute(made)).scalar_one()


def test_what_two_workers_merge_is_the_sum(database):
    peal(database, "migrate")

    async def play(opened, applications):
        one, other = HourlyLimit(opened), HourlyLimit(opened)
        for worker, times in ((one, 3), (other, 4)):
            for _ in range(times):
                worker.take(applications[0], 100)
            await worker.merge()
        assert other.take(applications[0], 100)["X-RateLimit-Remaining"] == "92"
        with pytest.raises(TooManyRequests):
            other.take(applications[0], 8)

    with_applications(database, 1, play)


def test_an_application_that_is_gone_keeps_no_other_from_being_counted(database):
    peal(database, "migrate")

    async def play(opened, applications):
        worker = HourlyLimit(opened)
        gone, stays = applications
        worker.take(gone, 100)
        worker.take(stays, 100)
        async with opened.write() as connection:
            await connection.execute(delete(application).where(application.c.id == gone))
        await worker.merge()
        async with opened.read() as connection:
            rows = (await connection.execute(select(rate_count.c.application_id, rate_count.c.used))).all()
        assert rows == [(stays, 1)]

    with_applications(database, 2, play)
