"""Limits: requests per hour of an application, and one request of a kind at a time."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.errors import TooManyRequests
from peal.oauth.tables import application, rate_count

log = structlog.get_logger()
HOUR = 3600


@dataclass
class _Count:
    merged: int = 0
    mine: int = 0


class HourlyLimit:
    """Counts in memory and merges with the other workers' counts through the database once a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hour = 0
        self._counts: dict[int, _Count] = defaultdict(_Count)

    def take(self, application_id: int, limit: int) -> dict[str, str]:
        """Count one request; return the headers to answer with.

        Raises:
            TooManyRequests: above `limit`.
        """
        now = int(time.time())
        if now // HOUR != self._hour:
            self._hour = now // HOUR
            self._counts.clear()
        count = self._counts[application_id]
        count.mine += 1
        used = count.merged + count.mine
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used)),
            "X-RateLimit-Reset": str(HOUR - now % HOUR),
        }
        if used > limit:
            raise TooManyRequests(headers=headers)
        return headers

    async def run(self) -> None:
        """Merge once a second until cancelled."""
        while True:
            await asyncio.sleep(1)
            with suppress(asyncio.TimeoutError):
                await self.merge()

    async def merge(self) -> None:
        """Add this worker's counts to the database's and take over the sums."""
        hour, pending = self._hour, {k: c.mine for k, c in self._counts.items() if c.mine}
        if not pending:
            return
        try:
            totals = await self._add(hour, pending)
        except FAILURES as error:
            log.warning("rate_limit_not_merged", reason=str(error))
            return
        if hour == self._hour:
            for application_id, total in totals.items():
                self._counts[application_id].mine -= pending[application_id]
                self._counts[application_id].merged = total

    async def _add(self, hour: int, pending: dict[int, int]) -> dict[int, int]:
        rows = [{"application_id": k, "hour": hour, "used": v} for k, v in sorted(pending.items())]
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(rate_count)
        statement = statement.on_conflict_do_update(
            index_elements=["application_id", "hour"],
            set_={"used": rate_count.c.used + statement.excluded.used},
        )
        async with self._database.write() as connection:
            there = await connection.execute(select(application.c.id).where(application.c.id.in_(pending)))
            known = set(there.scalars())
            if rows := [row for row in rows if row["application_id"] in known]:
                await connection.execute(statement, rows)
            await connection.execute(delete(rate_count).where(rate_count.c.hour < hour))
            found = await connection.execute(
                select(rate_count.c.application_id, rate_count.c.used).where(
                    rate_count.c.hour == hour, rate_count.c.application_id.in_(list(pending))
                )
            )
            return {row.application_id: row.used for row in found}


class OneAtATime:
    """Lets a user have one request of a kind at a time, in this worker."""

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal
        self._busy: set[int] = set()

    @contextmanager
    def one(self, user_id: int) -> Iterator[None]:
        """Hold the user's place.

        Raises:
            TooManyRequests: it is taken.
        """
        if user_id in self._busy:
            raise TooManyRequests(self._refusal)
        self._busy.add(user_id)
        try:
            yield
        finally:
            self._busy.remove(user_id)
