"""Call events on their way from the switch's spool to the database: at least once, kept once."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from peal.calls.tables import call_event
from peal.db.engine import Database
from peal.db.failures import FAILURES

log = structlog.get_logger()
BATCH = 500
IDLE_SECONDS = 0.05
RETRY_SECONDS = 1.0


def waiting(spool: Path) -> int:
    """Return how many events wait in the spool."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=5)) as opened:
        return int(opened.execute("SELECT count(*) FROM event").fetchone()[0])


class Intake:
    """Forwards; an event leaves the spool after the database has committed it."""

    def __init__(self, spool: Path, database: Database) -> None:
        self._spool, self._database = spool, database

    async def run(self) -> None:
        """Forward until cancelled."""
        while True:
            try:
                moved = await self.forward()
            except (*FAILURES, sqlite3.Error) as error:
                log.warning("events_wait", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not moved:
                await asyncio.sleep(IDLE_SECONDS)

    async def forward(self) -> int:
        """Forward what is there, up to a batch; return how many."""
        rows = await asyncio.to_thread(self._read)
        if rows:
            await self._store([_row(event_id, body) for event_id, body in rows])
            await asyncio.to_thread(self._forget, [event_id for event_id, _ in rows])
        return len(rows)

    async def _store(self, rows: Sequence[dict[str, Any]]) -> None:
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(call_event).on_conflict_do_nothing(index_elements=["id"])
        async with self._database.write() as connection:
            await connection.execute(statement, list(rows))

    def _read(self) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(self._spool, timeout=5)) as spool:
            return spool.execute("SELECT id, body FROM event ORDER BY rowid LIMIT ?", (BATCH,)).fetchall()

    def _forget(self, ids: Sequence[str]) -> None:
        with closing(sqlite3.connect(self._spool, timeout=5)) as spool, spool:
            spool.executemany("DELETE FROM event WHERE id = ?", [(event_id,) for event_id in ids])


def _row(event_id: str, body: str) -> dict[str, Any]:
    event = msgspec.json.decode(body)
    return {"id": event_id, "call_id": event["call"], "seq": event["seq"], "body": event}
