"""What a failure of the database means, told by real failures."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from parts import look, peal
from sqlalchemy import insert, literal, select, text

from peal.clients.tables import client
from peal.db.failures import FAILURES, meaning
from peal.statuses.tables import call_status

CLIENT = {"name": "Bells", "prefix": "0001", "domain": "pbx.test"}


def failure(database, *statements):
    with pytest.raises(FAILURES) as caught:
        look(database, *statements)
    return meaning(caught.value)


@pytest.fixture
def migrated(database):
    peal(database, "migrate")
    return database


def test_a_second_one_of_a_kind_is_a_conflict(migrated):
    assert failure(migrated, insert(client).values(CLIENT), insert(client).values(CLIENT)) == "conflict"


def test_a_thing_of_nobody_is_a_conflict(migrated):
    orphan = {"client_id": 77, "name": "At lunch", "property_list": ["li"]}
    assert failure(migrated, insert(call_status).values(orphan)) == "conflict"


def test_what_only_our_own_code_can_do_wrong_is_a_defect(migrated):
    assert failure(migrated, insert(client).values(CLIENT | {"status": "asleep"})) == "defect"
    assert failure(migrated, insert(client).values(CLIENT | {"name": None})) == "defect"
    assert failure(migrated, text("SELECT * FROM no_such_table")) == "defect"


def test_what_postgresql_can_not_hold_is_a_value(postgres):
    database = postgres.database()
    assert failure(database, select(client).where(client.c.name == "\0")) == "value"
    assert failure(database, select(client).where(client.c.id == literal(2**63))) == "value"


def test_nobody_at_home_is_unavailable(postgres):
    nowhere = postgres.url("x").replace(f":{postgres.port}/", ":1/")
    assert failure(nowhere, select(literal(1))) == "unavailable"


def test_a_connection_that_is_cut_is_unavailable(postgres):
    assert (
        failure(postgres.database(), text("SELECT pg_terminate_backend(pg_backend_pid())")) == "unavailable"
    )


def test_a_sqlite_that_is_busy_or_can_not_be_opened_is_unavailable(tmp_path):
    file = tmp_path / "peal.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with closing(sqlite3.connect(file, timeout=0)) as other, pytest.raises(sqlite3.Error) as busy:
            other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.Error) as missing:
        sqlite3.connect(tmp_path / "no such folder" / "peal.db")
    assert (meaning(busy.value), meaning(missing.value)) == ("unavailable", "unavailable")


def test_time_that_runs_out_is_unavailable():
    async def wait():
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    with pytest.raises(FAILURES) as caught:
        asyncio.run(wait())
    assert meaning(caught.value) == "unavailable"
