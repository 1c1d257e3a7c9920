"""A database's URL means the same to the API's driver, to libpq and so to the switch."""

import asyncio
import os
import subprocess

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from locked import ESCAPED, ODD
from parts import peal

from peal.db.url import parse
from peal.settings import SettingsError, load


def test_a_password_reads_the_same_with_and_without_escapes():
    plain, escaped = (parse(f"postgresql://u:{word}@h:5433/base?sslmode=require") for word in (ODD, ESCAPED))
    assert plain == escaped
    assert plain.parameters == {
        "user": "u",
        "password": ODD,
        "host": "h",
        "port": "5433",
        "dbname": "base",
        "sslmode": "require",
    }


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("postgresql://u@[::1]:5433/base", "::1"),
        ("postgresql:///base?host=/run/postgresql", "/run/postgresql"),
        ("postgresql:///base?host=one,two&port=1,2", "one,two"),
        ("postgres://u:a@h/base?application_name=x@y", "h"),
    ],
)
def test_hosts_of_every_kind(url, host):
    assert parse(url).parameters["host"] == host


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://h/base", "must be sqlite:///FILE or postgresql://"),
        ("postgresql://h:port/base", "must be sqlite:///FILE or postgresql://"),
        (
            "postgresql://h/base?ssl=require",
            "unknown parameter `ssl` (PostgreSQL's name for it is `sslmode`)",
        ),
        ("postgresql://h/base?ssl_mode=require", "unknown parameter `ssl_mode`"),
        ("postgresql://h/base?sslmode=on", "sslmode must be one of"),
        ("postgresql://h/base?sslmode=require&sslmode=disable", "stands twice"),
        ("postgresql:///base?port=x", "port must be a number"),
        ("sqlite:///", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_a_wrong_url_is_refused_with_its_reason(url, said):
    with pytest.raises(SettingsError, match=f"^database_url: .*{said.replace('(', '.').replace(')', '.')}"):
        load({"database_url": url}, {})


def test_a_command_names_the_parameter_and_shows_no_password():
    failed = peal("postgresql://u:secret@h/base?ssl=require", "migrate", ok=False)
    assert failed["code"] == 1
    assert "unknown parameter `ssl`" in failed["stderr"]
    assert "secret" not in failed["stderr"]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40))
def test_the_driver_reads_every_value_as_it_was_meant(word):
    """asyncpg's own reading of what it is handed; it connects to nowhere."""
    from asyncpg.connect_utils import _parse_connect_dsn_and_args

    given = parse("postgresql://u@127.0.0.1:5433/base")
    url = type(given)(None, given.parameters | {"password": word, "dbname": word}).for_driver
    names = ["host", "port", "user", "password", "passfile", "database", "ssl", "service", "servicefile"]
    names += ["direct_tls", "server_settings", "target_session_attrs", "krbsrvname", "gsslib"]
    addresses, read, *_ = _parse_connect_dsn_and_args(dsn=url, **dict.fromkeys(names))
    assert (addresses, read.user, read.password, read.database) == ([("127.0.0.1", 5433)], "u", word, word)


def test_driver_and_libpq_come_in_with_the_odd_password(locked):
    parsed = parse(locked.url())

    async def by_driver():
        opened = await asyncpg.connect(parsed.for_driver)
        try:
            return await opened.fetchval("SELECT current_user")
        finally:
            await opened.close()

    env = {"PATH": os.environ["PATH"], **parsed.for_libpq}
    by_libpq = subprocess.run(
        ["psql", "-Atc", "SELECT current_user"], env=env, capture_output=True, text=True, check=True
    )
    assert (asyncio.run(by_driver()), by_libpq.stdout) == ("odd", "odd\n")
