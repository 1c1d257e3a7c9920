"""Whoever waits, or has gone, keeps nobody else from working."""

import asyncio
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import asyncpg
import pytest
from parts import Server, look, until
from plain_bundles import Translator
from sqlalchemy import select, text

from peal.db.engine import BUSY_SECONDS
from peal.trunks.tables import trunk


@pytest.fixture(scope="module")
def peal(postgres, tmp_path_factory):
    """A Peal over PostgreSQL; no token is asked for twice."""
    settings = {"PEAL_TOKEN_CACHE_SECONDS": "0"}  # each request looks its token up: it needs a connection
    running = Server(postgres.database(), tmp_path_factory.mktemp("waiting") / "log", settings)
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@contextmanager
def locked(database, table, row_id):
    """Hold a row, as somebody's open transaction would."""
    held, release = Event(), Event()

    async def hold():
        connection = await asyncpg.connect(database)
        async with connection.transaction():
            await connection.execute(f"SELECT id FROM {table} WHERE id = $1 FOR UPDATE", row_id)
            held.set()
            await asyncio.to_thread(release.wait)
        await connection.close()

    with ThreadPoolExecutor(1) as thread:
        holding = thread.submit(asyncio.run, hold())
        assert held.wait(10)
        try:
            yield
        finally:
            release.set()
            holding.result()


def until_one_waits(database):
    waiting = text(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until(lambda: look(database, waiting)[0])


def test_writes_that_wait_leave_connections_to_those_who_read(peal):
    waiting, other = peal.tenant(), peal.tenant()
    extension, another = waiting.extension(), other.extension()
    put = {"url": f"/extension/{extension}/phone/", "json": {"incoming_limit": 3}}
    with ThreadPoolExecutor(40) as pool:
        with locked(peal.database, "client", waiting.id):
            writes = [pool.submit(waiting.api.put, **put) for _ in range(40)]
            for _ in range(20):
                assert other.api.get(f"/extension/{another}/phone/", timeout=5).status_code == 200
            assert not any(write.done() for write in writes)
        assert {write.result().status_code for write in writes} == {200}


@pytest.mark.slow
def test_a_write_that_waits_too_long_is_told_to_come_back(peal):
    tenant = peal.tenant()
    extension = tenant.extension()
    with locked(peal.database, "client", tenant.id):
        answer = tenant.api.put(
            f"/extension/{extension}/phone/", json={"incoming_limit": 3}, timeout=BUSY_SECONDS + 10
        )
    assert (answer.status_code, answer.json()["status"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert tenant.api.get(f"/extension/{extension}/phone/").json()["incoming_limit"] is None


@pytest.fixture
def line(peal):
    """A trunk of all."""
    made = peal.admin.post("/admin/trunk/", json={"name": "Carrier", "host": "192.0.2.7"})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def test_who_reads_a_trunk_waits_for_nobody(peal, line):
    with locked(peal.database, "trunk", line):
        assert peal.admin.get(f"/admin/trunk/{line}", timeout=5).status_code == 200


def test_who_waits_for_a_client_has_locked_no_trunk_yet(peal, line):
    """Who deletes the client locks it first, then its trunks: the other order would be a deadlock."""
    owner = peal.tenant().id
    with ThreadPoolExecutor(1) as pool:
        with locked(peal.database, "client", owner):
            change = pool.submit(peal.admin.put, f"/admin/trunk/{line}", json={"client_id": owner})
            until_one_waits(peal.database)
            look(peal.database, select(trunk.c.id).where(trunk.c.id == line).with_for_update(nowait=True))
        assert change.result().json()["client_id"] == owner


def test_clients_that_hang_up_leave_nothing_behind(server):
    tenant = server.tenant()
    main, one, two = (tenant.extension() for _ in range(3))
    bundle = f"/api/ver1.0/client/@me/extensions_bundle/{main}"
    for i in range(60):
        hang_up(server, tenant.api.token, bundle, {"bundle_list": [one, two] if i % 2 else []})
    with ThreadPoolExecutor(20) as pool:
        path = f"/extension/{one}/phone/"
        answers = pool.map(lambda i: tenant.api.put(path, json={"incoming_limit": i}), range(60))
        assert {answer.status_code for answer in answers} == {200}
    Translator({str(i): i for i in (main, one, two)}).observe(tenant.api)


def hang_up(server, token, path, body):
    """Send a request and reset the connection at once."""
    text = json.dumps(body)
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: peal",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
    ]
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.sendall("\r\n".join([*lines, "", text]).encode())
