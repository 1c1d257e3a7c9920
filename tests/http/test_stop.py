"""SIGTERM: what is in flight ends, nothing is lost, the process leaves with 0."""

import asyncio
import json
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from parts import NO_TLS, Server, serving, until
from sqlalchemy import select, text

from peal.clients.tables import client
from peal.db.engine import Database
from peal.http import ending


def closes(server):
    """Whether new connections are refused."""
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except (TimeoutError, ConnectionResetError):  # nobody accepts any more: it is about to close
        return False
    return False


def test_an_upload_in_flight_ends(database, tmp_path):
    with serving(database, tmp_path) as server:
        tenant = server.tenant()
        path = f"/api/ver1.0/extension/{tenant.extension()}/phone/"
        body = json.dumps({"label": "in flight"}).encode()
        head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tenant.api.token}\r\n"
        head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
            slow.sendall(head.encode())
            assert slow.recv(100).startswith(b"HTTP/1.1 100 ")  # the server waits for the body
            server.process.terminate()
            until(lambda: closes(server))
            slow.sendall(body)
            answer = slow.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'"label":"in flight"' in answer
        assert server.process.wait(20) == 0


def test_a_write_that_waits_for_a_row_ends(postgres, tmp_path):
    with serving(postgres.database(), tmp_path) as server, ThreadPoolExecutor(1) as thread:
        tenant = server.tenant()
        path = f"/extension/{tenant.extension()}/phone/"

        async def hold():
            database = Database(server.database, connections=2)
            async with database.write() as connection:
                await connection.execute(select(client).where(client.c.id == tenant.id).with_for_update())
                answer = thread.submit(tenant.api.put, path, json={"label": "waiting"})
                async with database.read() as watching:
                    while not await waiting(watching):
                        assert not answer.done()
                server.process.terminate()
                until(lambda: closes(server))
                assert not answer.done()
            await database.close()
            return answer

        answer = asyncio.run(hold()).result(30)
        assert (answer.status_code, answer.json()["label"]) == (200, "waiting")
        assert server.process.wait(20) == 0


async def waiting(connection):
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return (await connection.execute(query)).scalar()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_idle_connection_keeps_nobody_waiting(database, tmp_path, workers):
    with serving(database, tmp_path, workers) as server, httpx.Client(verify=NO_TLS) as idle:
        assert idle.get(f"{server.url}/healthz").status_code == 200
        started = time.monotonic()
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert time.monotonic() - started < 10


# Break: ending.py, _first: tells of each.
def test_workers_that_are_told_twice_keep_nobody_waiting(tmp_path):
    """As by Ctrl-C: by the terminal, and by who has started them."""
    server = Server(f"sqlite:///{tmp_path / 'peal.db'}", tmp_path / "log", workers=2)
    try:
        workers = workers_of(server)
        stand_still(*workers)
        for each in [server.process.pid, *workers]:
            os.kill(each, signal.SIGINT)
            os.kill(each, signal.SIGTERM)
        os.killpg(server.process.pid, signal.SIGCONT)
        server.process.wait(10)
    finally:
        server.stop()


# Break: ending.py, leave: raises no signal.
def test_a_signal_that_comes_between_two_runs_of_a_workers_loop_is_not_lost(monkeypatch):
    monkeypatch.setattr(ending.Ending, "told", None)
    ending.prepare()
    loop, told = ending.Loop(), []
    loop.add_signal_handler(signal.SIGTERM, told.append, "once")

    async def heard():
        await ending.leave()
        await asyncio.sleep(0)  # the loop looks at the signal

    with closing(loop):
        loop.run_until_complete(asyncio.sleep(0))
        signal.raise_signal(signal.SIGTERM)
        ending.tell()
        loop.run_until_complete(asyncio.wait_for(heard(), 5))
    assert told == ["once"]


# Break: ending.py, leave: raises no signal.
def test_a_worker_that_is_just_starting_keeps_nobody_waiting(database, tmp_path):
    """It still has its parent's handlers then: the signal alone would be lost."""
    with serving(database, tmp_path, workers=2) as server:
        before = workers_of(server)
        os.kill(min(before), signal.SIGKILL)
        until(lambda: workers_of(server) - before)  # the service starts another
        (fresh,) = workers_of(server) - before
        stand_still(fresh)
        server.process.terminate()
        until(lambda: is_pending(fresh, signal.SIGTERM))
        os.kill(fresh, signal.SIGCONT)
        assert server.process.wait(10) == 0


def workers_of(server):
    pid = server.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def stand_still(*processes):
    for each in processes:
        os.kill(each, signal.SIGSTOP)
        until(lambda each=each: re.search(r"^State:\s+T", status(each), re.MULTILINE))


def is_pending(pid, number):
    found = re.search(r"^ShdPnd:\s+(\w+)", status(pid), re.MULTILINE)
    return bool(int(found[1], 16) >> (number - 1) & 1)


def status(pid):
    return Path(f"/proc/{pid}/status").read_text()


def test_what_was_answered_is_there_after_a_restart(database, tmp_path):
    with serving(database, tmp_path) as server:
        tenant = server.tenant()
        phone = f"/extension/{tenant.extension()}/phone/"
        tenant.api.put(phone, json={"label": "kept"})
        server.process.terminate()
        assert server.process.wait(20) == 0
        server.start()
        bearer = {"Authorization": f"Bearer {tenant.api.token}"}
        answer = server.web.get(f"/api/ver1.0{phone}", headers=bearer)
        assert answer.json()["label"] == "kept"


def test_it_leaves_with_0_on_sigint_too(tmp_path):
    server = Server(f"sqlite:///{tmp_path / 'peal.db'}", tmp_path / "log")
    server.process.send_signal(2)
    assert server.process.wait(20) == 0
    server.stop()
