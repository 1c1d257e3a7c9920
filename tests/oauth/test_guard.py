"""What guards tokens and secrets: few guesses, short lives, revoked on all workers."""

import secrets
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from parts import NO_TLS, answers_until, serving
from workers import one_connection_per_worker


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A Peal with the guard that the contract names: 20 failures a second; behind a proxy on this machine."""
    folder = tmp_path_factory.mktemp("guarded")
    with serving(
        f"sqlite:///{folder / 'peal.db'}", folder, guess_limit=20, trusted_proxies="127.0.0.1"
    ) as running:
        yield running


@pytest.fixture
def wrong():
    """An application's id and a secret that it has not."""
    return {"grant_type": "client_credentials", "client_id": secrets.token_hex(16), "client_secret": "0" * 32}


def by(address):
    """The header by which the proxy says who asks."""
    return {"X-Forwarded-For": address}


def guess(server, count, form, path="/oauth/token", headers=None, at_a_time=1):
    """Send secrets, so many at a time; return the answers and the seconds it took."""
    started = time.monotonic()
    with ThreadPoolExecutor(at_a_time) as threads:
        sent = list(threads.map(lambda _: server.web.post(path, data=form, headers=headers), range(count)))
    return sent, time.monotonic() - started


def check_guard(answers, seconds, most=20):
    let_in = [answer for answer in answers if answer.status_code in (400, 401)]
    kept_out = [answer for answer in answers if answer.status_code == 429]
    assert len(let_in) + len(kept_out) == len(answers)
    assert kept_out
    assert len(let_in) <= most * (int(seconds) + 2)
    assert kept_out[0].json() == {"message": "Rate limit exceeded", "status": "rate_limit_exceeded"}
    assert kept_out[0].headers["retry-after"] == "1"


def until_refused(send):
    """Send until the guard refuses."""
    return answers_until(429, lambda: send().status_code, 20)


def good(api):
    return {"grant_type": "client_credentials", **api.keys}


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/token/"])
def test_an_address_may_guess_twenty_times_a_second_at_an_application(guarded, wrong, path):
    asked = wrong | {"token": "x" * 30}  # to revoke one takes one
    check_guard(*guess(guarded, 150, asked, path, by(f"192.0.2.{len(path)}")))


def test_guesses_that_come_at_one_moment_are_counted_one_by_one(guarded, wrong):
    check_guard(*guess(guarded, 150, wrong, headers=by("192.0.2.2"), at_a_time=30))


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP"])
def test_a_header_of_who_is_no_proxy_makes_no_other_address(guarded, wrong, header):
    with httpx.Client(transport=httpx.HTTPTransport(verify=NO_TLS, local_address="127.0.0.3")) as stranger:
        started, value = time.monotonic(), "for=10.0.0.{0}" if header == "Forwarded" else "10.0.0.{0}"
        sent = [
            stranger.post(f"{guarded.url}/oauth/token", data=wrong, headers={header: value.format(n)})
            for n in range(150)
        ]
        check_guard(sent, time.monotonic() - started)


def test_a_stranger_makes_no_other_address_by_what_it_writes_before_the_proxy(guarded, wrong):
    started = time.monotonic()
    sent = [
        guarded.web.post("/oauth/token", data=wrong, headers=by(f"10.0.0.{n}, 192.0.2.3")) for n in range(150)
    ]
    check_guard(sent, time.monotonic() - started)


def test_a_guesser_keeps_nobody_behind_the_same_proxy_out(guarded, wrong):
    form, other = good(guarded.admin), good(guarded.admin) | {"client_secret": "0" * 32}
    for guessed in (wrong, other):  # also at the very application that somebody else uses
        until_refused(
            lambda guessed=guessed: guarded.web.post("/oauth/token", data=guessed, headers=by("192.0.2.4"))
        )
        assert guarded.web.post("/oauth/token", data=form, headers=by("192.0.2.5")).status_code == 200


def test_a_guesser_keeps_nobody_out_who_uses_another_application_from_the_same_address(guarded, wrong):
    until_refused(lambda: guarded.web.post("/oauth/token", data=wrong, headers=by("192.0.2.6")))
    assert (
        guarded.web.post("/oauth/token", data=good(guarded.admin), headers=by("192.0.2.6")).status_code == 200
    )


def test_who_guesses_at_many_applications_is_kept_out_of_all(guarded, wrong):
    started = time.monotonic()
    sent = [
        guarded.web.post(
            "/oauth/token", data=wrong | {"client_id": secrets.token_hex(16)}, headers=by("192.0.2.8")
        )
        for _ in range(300)
    ]
    check_guard(sent, time.monotonic() - started, most=40)


def test_the_right_secret_is_no_answer_while_guesses_are_refused(guarded):
    form = good(guarded.admin)
    bad = form | {"client_secret": "0" * 32}

    def right_after_wrong():
        until_refused(lambda: guarded.web.post("/oauth/token", data=bad, headers=by("192.0.2.9")))
        return guarded.web.post("/oauth/token", data=form, headers=by("192.0.2.9")).status_code

    answers_until(429, right_after_wrong, 20)  # unless the second has just ended


def test_an_ipv6_network_is_one_address(guarded, wrong):
    hosts = iter(range(1, 10_000))
    until_refused(
        lambda: guarded.web.post("/oauth/token", data=wrong, headers=by(f"2001:db8:0:1::{next(hosts):x}"))
    )
    answer = guarded.web.post("/oauth/token", data=wrong, headers=by("2001:db8:0:2::1"))
    assert answer.status_code == 401


def test_good_requests_are_no_guesses(guarded):
    answers, _ = guess(guarded, 90, good(guarded.admin), headers=by("192.0.2.10"), at_a_time=30)
    assert {answer.status_code for answer in answers} == {200}


def test_good_requests_have_a_bound_of_their_own(tmp_path):
    with serving(f"sqlite:///{tmp_path / 'peal.db'}", tmp_path, guess_limit=1) as server:
        answers, seconds = guess(server, 400, {"grant_type": ""}, at_a_time=4)
        check_guard(answers, seconds, most=50)


def test_the_log_names_who_guesses(guarded, wrong):
    until_refused(lambda: guarded.web.post("/oauth/token", data=wrong, headers=by("192.0.2.11")))
    told = [line for line in guarded.log.read_text().splitlines() if "too_many_failures" in line]
    assert any('"192.0.2.11"' in line and wrong["client_id"] in line for line in told)
    assert wrong["client_secret"] not in "".join(told)


def test_two_workers_count_failures_together(database, tmp_path, wrong):
    with serving(database, tmp_path, workers=2, guess_limit=20) as server:
        here, there = one_connection_per_worker(server)
        started = time.monotonic()
        sent = [one.post("/oauth/token", data=wrong) for _ in range(75) for one in (here, there)]
        check_guard(sent, time.monotonic() - started)


def test_others_are_let_in_meanwhile(guarded, wrong):
    with httpx.Client(transport=httpx.HTTPTransport(verify=NO_TLS, local_address="127.0.0.2")) as other:
        check_guard(*guess(guarded, 100, wrong))
        assert other.post(f"{guarded.url}/oauth/token").status_code == 400


def test_the_api_itself_is_not_guarded_so(guarded, wrong):
    check_guard(*guess(guarded, 100, wrong))
    assert guarded.admin.get("/user/").status_code == 200


def test_a_wrong_secret_waits_for_nobody_who_writes(tmp_path, wrong):
    """It opens no transaction: who guesses holds up no writer, on SQLite either."""
    database = f"sqlite:///{tmp_path / 'peal.db'}"
    with serving(database, tmp_path) as server:
        other = sqlite3.connect(tmp_path / "peal.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert server.web.post("/oauth/token", data=wrong, timeout=3).status_code == 401
        other.rollback()
        other.close()


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
