"""What guards tokens and secrets: few guesses, short lives, revoked on all workers."""

import time

import httpx
import pytest
from parts import NO_TLS, answers_until, serving
from workers import one_connection_per_worker


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A Peal with the guard that the contract names: 20 requests a second."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(f"sqlite:///{folder / 'peal.db'}", folder, guess_limit=20) as running:
        yield running


def guess(server, count, path="/oauth/token", **headers):
    """Send wrong secrets as fast as one connection can; return the answers and the seconds it took."""
    wrong = {"grant_type": "client_credentials", "client_id": "0" * 32, "client_secret": "0" * 32}
    started = time.monotonic()
    sent = [
        server.web.post(path, data=wrong, headers={k: v.format(n) for k, v in headers.items()})
        for n in range(count)
    ]
    return sent, time.monotonic() - started


def check_guard(answers, seconds):
    let_in = [answer for answer in answers if answer.status_code in (400, 401)]
    kept_out = [answer for answer in answers if answer.status_code == 429]
    assert len(let_in) + len(kept_out) == len(answers)
    assert kept_out
    assert len(let_in) <= 20 * (int(seconds) + 2)
    assert kept_out[0].json() == {"message": "Rate limit exceeded", "status": "rate_limit_exceeded"}
    assert kept_out[0].headers["retry-after"] == "1"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/token/"])
def test_an_address_may_guess_twenty_times_a_second(guarded, path):
    check_guard(*guess(guarded, 150, path))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP"])
def test_a_header_makes_no_other_address(guarded, header):
    check_guard(*guess(guarded, 150, **{header: "for=10.0.0.{0}" if header == "Forwarded" else "10.0.0.{0}"}))


def test_others_are_let_in_meanwhile(guarded):
    with httpx.Client(transport=httpx.HTTPTransport(verify=NO_TLS, local_address="127.0.0.2")) as other:
        check_guard(*guess(guarded, 100))
        assert other.post(f"{guarded.url}/oauth/token").status_code == 400


def test_the_api_itself_is_not_guarded_so(guarded):
    check_guard(*guess(guarded, 100))
    assert guarded.admin.get("/user/").status_code == 200


def test_a_token_lives_as_long_as_the_setting_says(database, tmp_path):
    with serving(database, tmp_path, token_seconds=3) as server:
        form = {"grant_type": "client_credentials", **server.admin.keys}
        answer = server.web.post("/oauth/token", data=form).json()
        assert answer["expires_in"] == 3
        bearer = {"Authorization": f"Bearer {answer['access_token']}"}
        path = "/api/ver1.0/user/"
        statuses = answers_until(401, lambda: server.web.get(path, headers=bearer).status_code, 5)
        assert statuses[0] == 200


def test_a_token_revoked_on_one_worker_is_refused_by_the_other_soon(database, tmp_path):
    with serving(database, tmp_path, workers=2, token_cache_seconds=1) as server:
        here, there = one_connection_per_worker(server)
        path, bearer = "/api/ver1.0/user/", {"Authorization": f"Bearer {server.admin.token}"}
        assert [one.get(path, headers=bearer).status_code for one in (here, there)] == [200, 200]
        here.post("/oauth/revoke", data={**server.admin.keys, "token": server.admin.token})
        assert here.get(path, headers=bearer).status_code == 401
        answers_until(401, lambda: there.get(path, headers=bearer).status_code, 1.5)
