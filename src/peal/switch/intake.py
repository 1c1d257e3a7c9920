"""Call events on their way from the switch's spool to the database: at least once, kept once."""

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import structlog

from peal.calls import service
from peal.calls.event import Event
from peal.calls.service import Told
from peal.db.engine import Database
from peal.db.failures import FAILURES, meaning

log = structlog.get_logger()
BATCH = 1000
"""What is forwarded at a time. Calls that begin in one batch and end in the next are written twice."""
IDLE_SECONDS = 0.05
RETRY_SECONDS = 1.0
STORE_SECONDS = 10.0
"""How long PostgreSQL may take for a batch: the other end of the connection may have gone without a word."""


Spooled = tuple[bytes, bytes]
"""Id and body, as they were written."""


def held(spool: Path) -> dict[str, int]:
    """Return how many events wait in the spool, and how many were put aside there."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=5)) as opened:
        query = "SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM rejected)"
        waiting, rejected = opened.execute(query).fetchone()
    return {"events_waiting": waiting, "events_rejected": rejected}


class Intake:
    """Forwards; an event leaves the spool after the database has committed it, or for the rejected ones."""

    def __init__(self, spool: Path, database: Database) -> None:
        self._spool, self._database = spool, database

    async def run(self) -> None:
        """Forward until cancelled."""
        while True:
            try:
                moved = await self.forward()
            except (*FAILURES, sqlite3.Error) as error:
                log.warning("events_wait", reason=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # a defect: it is told, and what it spoils waits in the spool
                log.exception("alarm: events_wait")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await asyncio.sleep(0 if moved else IDLE_SECONDS)

    async def forward(self) -> int:
        """Forward what is there, up to a batch; return how many."""
        spooled = await asyncio.to_thread(self._read)
        if spooled:
            rejected = await self._store(spooled)
            await asyncio.to_thread(self._forget, spooled, rejected)
        return len(spooled)

    async def _store(self, spooled: Sequence[Spooled]) -> dict[bytes, str]:
        """Store a batch; return the ids of those that can't be stored, and why.

        Raises:
            any of FAILURES: the database is away.
        """
        told, rejected = _read_all(spooled)
        try:
            await self._insert(list(told.values()))
        except FAILURES as error:
            if meaning(error) == "unavailable":
                raise
            for event_id, one in told.items():  # one of them spoils the batch: each by itself
                rejected |= await self._try(event_id, one)
        return rejected

    async def _try(self, event_id: bytes, one: Told) -> dict[bytes, str]:
        try:
            await self._insert([one])
        except FAILURES as error:
            if meaning(error) == "unavailable":
                raise
            return {event_id: str(getattr(error, "orig", error))}
        return {}

    async def _insert(self, told: list[Told]) -> None:
        if told:
            async with self._database.write(STORE_SECONDS) as connection:
                await service.take_in(connection, told)

    def _read(self) -> list[Spooled]:
        query = "SELECT CAST(id AS BLOB), CAST(body AS BLOB) FROM event ORDER BY rowid LIMIT ?"
        with closing(sqlite3.connect(self._spool, timeout=5)) as spool:
            return spool.execute(query, (BATCH,)).fetchall()

    def _forget(self, spooled: Sequence[Spooled], rejected: Mapping[bytes, str]) -> None:
        aside = [(event_id, body, rejected[event_id]) for event_id, body in spooled if event_id in rejected]
        with closing(sqlite3.connect(self._spool, timeout=5)) as spool, spool:
            # what a power cut brings back is forwarded again; the switch must not wait for the disk
            spool.execute("PRAGMA synchronous=NORMAL")
            spool.executemany(
                "INSERT OR IGNORE INTO rejected VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?)", aside
            )
            spool.executemany(
                "DELETE FROM event WHERE id = CAST(? AS TEXT)", [(event_id,) for event_id, _ in spooled]
            )
        for event_id, _, reason in aside:
            log.error("alarm: event_rejected", id=event_id.decode(errors="replace"), reason=reason)


def _read_all(spooled: Sequence[Spooled]) -> tuple[dict[bytes, Told], dict[bytes, str]]:
    """Return what can be told to the database, and what can't be read, with the reason."""
    told, unreadable = {}, {}
    for event_id, body in spooled:
        try:
            told[event_id] = _told(event_id, body)
        except ValueError as error:  # not JSON, not UTF-8, not an event
            unreadable[event_id] = f"{type(error).__name__}: {error}"
    return told, unreadable


def _told(event_id: bytes, text: bytes) -> Told:
    body = msgspec.json.decode(text)
    return Told(event_id.decode(), msgspec.convert(body, Event), body)
