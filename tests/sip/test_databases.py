"""One URL of a database serves the API and the switch, whatever its password, and over TLS."""

from contextlib import ExitStack

import pytest
from locked import ESCAPED, ODD
from parts import look, peal
from pooler import pooling
from sip.exchange import Office, exchanging
from sip.history import history
from sip.test_changes import talk
from sqlalchemy import text

USER = ("user", "create", "--admin", "--login", "ann", "--password-stdin")


def call_through(url):
    """Phones register and call; the call comes into the history."""
    with exchanging(url) as own, ExitStack() as stack:
        office = Office(own, stack)
        caller, callee = office.phones("101", "200")
        call, _ = talk(caller, "200", callee)
        assert call.bye().status == 200
        assert history(office).call


# Break: config.py: `_POSTGRESQL_URL` as the URL is written; node.py: no `_environment`.
@pytest.mark.parametrize("password", [ODD, ESCAPED], ids=["as it is", "escaped"])
def test_a_password_of_odd_characters_serves_api_and_switch(locked, password):
    call_through(locked.url(password))


def test_a_server_whose_certificate_is_checked_serves_api_and_switch(locked):
    url = locked.url(query=f"?sslmode=verify-full&sslrootcert={locked.root}")
    with exchanging(url):
        [sessions] = look(
            url,
            text(
                "SELECT count(*) AS plain FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                " WHERE usename = 'odd' AND NOT ssl"
            ),
        )
    assert sessions == [{"plain": 0}]


def test_a_server_with_another_certificate_is_refused(locked, tmp_path):
    other = tmp_path / "other.pem"
    locked.certificate(other)
    failed = peal(locked.url(query=f"?sslmode=verify-full&sslrootcert={other}"), "migrate", ok=False)
    assert failed["code"] == 1
    assert "certificate" in failed["stderr"]


def test_a_pooler_in_session_mode_serves_api_and_switch(postgres):
    direct = postgres.database()
    with pooling(postgres, "session") as port:
        call_through(direct.replace(f":{postgres.port}/", f":{port}/"))


# Break: session.py: without `require_sessions`.
def test_a_pooler_in_transaction_mode_is_refused_with_a_sentence(postgres):
    direct = postgres.database()
    with pooling(postgres, "transaction") as port:
        pooled = direct.replace(f":{postgres.port}/", f":{port}/")
        failed = peal(pooled, *USER, stdin="a long password\n", ok=False)
    assert failed["code"] == 1
    assert "pool_mode = session" in failed["stderr"]
