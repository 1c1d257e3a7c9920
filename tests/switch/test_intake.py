"""From the spool to the database: what can't be stored keeps nothing else waiting."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
import structlog
from parts import look, peal
from sqlalchemy import select
from structlog.testing import capture_logs

from peal.calls.tables import call_event
from peal.db.engine import Database
from peal.switch import intake
from peal.switch.intake import Intake
from peal.switch.node import SPOOL, create


def body(call, seq=1, **more):
    return json.dumps({"call": call, "seq": seq, "type": "begin"} | more).encode()


BAD = {
    b"no-json": b"{",
    b"no-utf8": body("c" * 32, name="x").replace(b"x", b"\xff"),
    b"half-a-pair": body("c" * 32, name="\ud800"),
    b"nul": body("c" * 31 + "\0"),
    b"call-too-long": body("c" * 33),
    b"no-call": b'{"seq":1}',
    b"no-object": b"[]",
    b"no-number": body("c" * 32, "one"),
    b"number-too-large": body("c" * 32, 2**31),
    b"no-\xff-utf8-in-its-id": body("c" * 32),
}
"What can't be read."
REFUSED = {b"n\0ul": body("d" * 32), b"long" * 20: body("d" * 32)}
"What PostgreSQL refuses."
GOOD = {f"{call};{seq}".encode(): body(call, seq) for call in ("a" * 32, "b" * 32) for seq in (1, 2)}


@pytest.fixture
def spool(tmp_path):
    """An empty spool."""
    create(tmp_path / "spool.db", SPOOL)
    return tmp_path / "spool.db"


def put(spool, events):
    with closing(sqlite3.connect(spool)) as file, file:
        rows = list(events.items())
        file.executemany("INSERT INTO event VALUES (CAST(? AS TEXT), CAST(? AS TEXT))", rows)


def left(spool, table):
    with closing(sqlite3.connect(spool)) as file:
        file.text_factory = bytes
        return [tuple(row) for row in file.execute(f"SELECT * FROM {table}")]


def forward(database, spool):
    """Forward all that is there."""

    async def run():
        opened = Database(database, connections=1)
        try:
            while await Intake(spool, opened).forward():
                pass
        finally:
            await opened.close()

    asyncio.run(run())


def stored(database):
    (rows,) = look(database, select(call_event.c.id))
    return {row["id"].encode() for row in rows}


# Break: intake.py, Intake._store: raise whatever the database says
def test_events_that_can_not_be_stored_are_put_aside_with_the_reason_and_the_others_go_on(
    database, spool, monkeypatch
):
    monkeypatch.setattr(intake, "log", structlog.get_logger())  # not one that an earlier test has bound
    peal(database, "migrate")
    bad = BAD | (REFUSED if database.startswith("postgresql") else {})
    put(spool, dict(sorted((GOOD | bad).items())))
    with capture_logs() as told:
        forward(database, spool)
    assert stored(database) == set(GOOD)
    aside = {event_id: (text, reason) for event_id, text, reason in left(spool, "rejected")}
    assert {event_id: text for event_id, (text, _) in aside.items()} == bad
    assert all(reason for _, reason in aside.values())
    assert [line["event"] for line in told] == ["alarm: event_rejected"] * len(bad)
    assert left(spool, "event") == []


def test_an_event_that_comes_twice_is_kept_once(database, spool):
    peal(database, "migrate")
    for _ in range(2):
        put(spool, GOOD)
        forward(database, spool)
    assert stored(database) == set(GOOD)
    assert left(spool, "event") == left(spool, "rejected") == []
