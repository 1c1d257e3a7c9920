"""A page of the history of one extension: of its last day, among few calls and among very many."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import data
from parts import Server, look
from place import Place
from report import Row
from sqlalchemy import text

EXTENSIONS, SIZE = 90, 3
FEW, MANY = 10_000, 1_000_000
REQUESTS = 100
LAST_DAY = 2000
"""Calls of the last day: as many in both. 50 and more are of the extension that is asked for."""
MAIN = 1
SINCE, UNTIL = "2026-01-01 00:00:00", "2026-01-02 00:00:00"

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {calls}) "
MOMENTS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', '{seconds} seconds')",
    "postgresql": "timestamp '2026-01-01' + {seconds} * interval '1 second'",
}
"""The last day's calls first, all others in the year before."""
SECONDS = "(CASE WHEN i < {last_day} THEN 40 * i + 30 ELSE -31 * (i % 1000000) - 40 END)"
TABLES = (
    """INSERT INTO call (id, client_id, flow, domain, init_time, bridged_time, hangup_time, from_username,
        to_username, bridged_username, dialled, extension_id, extension_number, extension_type, result,
        hangup_cause, hangup_disposition)
    {numbers} SELECT {id}, 1, 'in', 'pbx.test', {at}, {at}, {at}, '1*1001', '1*1000', '1*1001', '1000',
        {main}, '1*1000', 'phone', 'answered', 'NORMAL_CLEARING', 'caller_bye' FROM n""",
    """INSERT INTO leg (call_id, client_id, n, part_id, flow, init_time, bridged_time, hangup_time,
        extension_id, extension_number, bundle_extension_id, bundle_info, result, hangup_cause,
        hangup_disposition)
    {numbers} SELECT {id}, 1, k, {id}, CASE WHEN k = 0 THEN 'out' ELSE 'in' END, {at}, {at}, {at},
        CASE WHEN k = 0 THEN {caller} ELSE {main} + k - 1 END, '1*1000', {main}, '1;1000;abcd', 'answered',
        'NORMAL_CLEARING', 'caller_bye'
    FROM n, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) AS legs""",
    """INSERT INTO call_extension (call_id, client_id, extension_id, init_time)
    {numbers} SELECT {id}, 1, CASE WHEN k = 3 THEN {caller} ELSE {main} + k END, {at}
        FROM n, (SELECT 0 AS k UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) AS parties""",
)


def times(place: Place) -> list[Row]:
    """Return how long a page takes on both databases, and what many calls cost it."""
    rows = []
    for kind in ("postgresql", "sqlite"):
        with _server(place, kind, FEW) as among_few, _server(place, kind, MANY) as among_many:
            pairs = [(_asked(among_few), _asked(among_many)) for _ in range(REQUESTS)]
        few, many = map(statistics.median, zip(*pairs, strict=True))
        rows += [
            Row(f"a page of call_history, {kind}, {FEW:,} calls", f"{1000 * few:.1f} ms"),
            Row(f"the same among {MANY:,}", f"{1000 * many:.1f} ms"),
            Row(f"{kind}: among {MANY:,} / among {FEW:,}", f"{many / few:.2f}", "at most 1.5"),
        ]
    return rows


@contextmanager
def _server(place: Place, kind: str, calls: int) -> Iterator[Server]:
    """A Peal with so many calls."""
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    if kind == "sqlite":
        url = data.sqlite(folder, EXTENSIONS, SIZE, EXTENSIONS)
    else:
        url = data.postgresql(place.cluster, EXTENSIONS, SIZE, EXTENSIONS)
    look(url, *(text(statement) for statement in _statements(kind, calls)))
    if kind == "postgresql":
        data.psql(url, "VACUUM ANALYZE")
    running = Server(url, folder / "log")
    try:
        yield running
    finally:
        running.stop()


def _statements(kind: str, calls: int) -> list[str]:
    seconds = SECONDS.format(last_day=LAST_DAY)
    values = {
        "numbers": NUMBERS.format(calls=calls),
        "id": "substr('00000000000000000000000000000000' || i, -32)" if kind == "sqlite" else "md5(i::text)",
        "at": MOMENTS[kind].format(seconds=seconds if kind == "postgresql" else f"' || {seconds} || '"),
        "main": f"(i % 30 * {SIZE} + {MAIN})",
        "caller": f"((i + 7) % 30 * {SIZE} + {MAIN})",
    }
    return [table.format(**values) for table in TABLES]


def _asked(server: Server) -> float:
    query = {"start_datetime": SINCE, "end_datetime": UNTIL, "extension_id": MAIN, "per_page": 50}
    begun = time.perf_counter()
    answer = server.admin.get("/client/1/call_history/", params=query)
    took = time.perf_counter() - begun
    if answer.status_code != 200 or len(answer.json()["call_history"]) != 50:
        raise SystemExit(f"bench: no page of 50: {answer.text[:200]}")
    return took
