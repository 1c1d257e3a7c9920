"""Call events taken in, against plain INSERTs of the same rows by pgbench."""

import asyncio
import json
import random
import re
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import data
from parts import POSTGRES
from place import Place
from report import Row

from peal.db.engine import Database
from peal.switch.intake import Intake
from peal.switch.node import SPOOL, create

EXTENSIONS, SIZE, CLIENT = 900, 3, 90
CALLS = 4000
SECONDS = 5
"""Of pgbench."""
BUNDLES_CALL = 9
"""Events of a call to a bundle of three that is answered."""
INSERTS = """
\\set call random(1, 1000000000)
\\set seq random(1, 9)
INSERT INTO call_event (id, call_id, seq, at, transfer, body) VALUES
    (md5(random()::text || :call) || ';' || :seq, md5((:call)::text), :seq, '2026-01-01 00:00:00.000001',
     NULL, '{body}')
"""


def rates(place: Place) -> list[Row]:
    """Return how many events a second come in, and what pgbench does with the same rows."""
    taken, single, batched = [], [], []
    for _ in range(place.rounds):
        url = data.postgresql(place.cluster, EXTENSIONS, SIZE, CLIENT)
        taken.append(_taken_in(url, place.folder))
        body = data.psql(url, "SELECT body FROM call_event WHERE seq = 1 LIMIT 1")
        single.append(_pgbench(url, INSERTS.format(body=body)))
        batched.append(500 * _pgbench(url, _batch(body)))
    events, plain, best = (sorted(values)[len(values) // 2] for values in (taken, single, batched))
    return [
        Row("call events taken in, of calls to bundles, a second", f"{events:.0f}"),
        Row("plain INSERTs of the same rows by pgbench, one connection, a second", f"{plain:.0f}"),
        Row("events taken in / plain INSERTs", f"{events / plain:.2f}", "0.5"),
        Row("events taken in / plain INSERTs, 500 a transaction", f"{events / best:.2f}"),
    ]


def _taken_in(url: str, folder: Path) -> float:
    spool = Path(tempfile.mkdtemp(dir=folder)) / "spool.db"
    create(spool, SPOOL)
    with closing(sqlite3.connect(spool)) as file, file:
        file.executemany("INSERT INTO event VALUES (?, ?)", _events())

    async def run() -> float:
        database = Database(url, connections=1)
        try:
            begun = time.perf_counter()
            while await Intake(spool, database).forward():
                pass
            return CALLS * BUNDLES_CALL / (time.perf_counter() - begun)
        finally:
            await database.close()

    rate = asyncio.run(run())
    told = data.psql(url, "SELECT count(*) FROM call WHERE result = 'answered'")
    if int(told) != CALLS:
        raise SystemExit(f"bench: {told} of {CALLS} calls are in the history")
    return rate


def _events() -> Iterator[tuple[str, str]]:
    """Return the events of calls from one bundle to another of the same client, as they come: mixed."""
    calls = [list(_call(n)) for n in range(CALLS)]
    random.seed(1)
    under_way = [0] * CALLS
    order = [n for n in range(CALLS) for _ in range(BUNDLES_CALL)]
    for n in sorted(order, key=lambda n: n + random.random() * 50):
        yield calls[n][under_way[n]]
        under_way[n] += 1


def _call(n: int) -> Iterator[tuple[str, str]]:
    call = f"{random.getrandbits(128):032x}"
    client, caller = n % (EXTENSIONS // CLIENT) + 1, 1000 + n % 60
    main = 1000 + (n % 60 // SIZE + 5) % 30 * SIZE
    parties = {"domain": "pbx.test", "from": f"{client}*{caller}", "dialled": str(main)}
    parties |= {"from_main": f"{client}*{caller - n % 60 % SIZE}"}
    parties |= {"to": f"{client}*{main}", "to_main": f"{client}*{main}"}
    winner = n % SIZE
    answer = {"answered_by": str(main + winner), "answered_at": "1767225605.000001"}
    told = [("begin", parties)]
    told += [("ring", {"device": str(main + i), "leg": i}) for i in range(SIZE)]
    told += [
        ("leg", {"device": str(main + winner), "leg": winner, "code": "200"}),
        ("answer", parties | answer),
    ]
    losers = [i for i in range(SIZE) if i != winner]
    told += [("leg", {"device": str(main + i), "leg": i, "code": "487"}) for i in losers]
    told += [("hangup", parties | answer | {"code": "200", "ended_by": "caller"})]
    for seq, (kind, fields) in enumerate(told, 1):
        head = {"call": call, "seq": seq, "type": kind, "at": f"17672256{seq:02}.000001"}
        yield f"{call};{'end' if kind == 'hangup' else seq}", json.dumps(head | fields)


def _batch(body: str) -> str:
    """Return a transaction of 500 plain INSERTs."""
    setting, insert = INSERTS.split("INSERT", 1)
    one = ("INSERT" + insert.format(body=body)).strip() + ";\n"
    return "BEGIN;\n" + 500 * (setting + one) + "COMMIT;\n"


def _pgbench(url: str, script: str) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            POSTGRES / "pgbench",
            "-n",
            "-c1",
            "-j1",
            "-M",
            "prepared",
            f"-T{SECONDS}",
            "-f",
            file.name,
        ]
        out = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([\d.]+)", out)[1])
