"""Calls that ended with their switch: nobody tells their end, so it is told here.

What the database has as going on and the switch does not have is over. A call may end, or begin, while both
are asked: it counts as lost only when that was so twice, with all that the switch has told taken in between.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import structlog

from peal.calls import service
from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.errors import SwitchUnavailable
from peal.switch.control import Control
from peal.switch.intake import held

log = structlog.get_logger()
SECONDS = 5.0
"""Between two looks."""
ASKED_AT_ONCE = 200
LAST = 2**31 - 1
"""The number of the event: above all that a switch may tell."""


class Lost:
    """Looks for such calls."""

    def __init__(self, spool: Path, database: Database, control: Control) -> None:
        self._spool, self._database, self._control = spool, database, control
        self._missing: set[str] = set()

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.look()
            except (*FAILURES, sqlite3.Error, SwitchUnavailable) as error:
                self._missing = set()
                log.debug("lost_calls_wait", reason=str(error) or type(error).__name__)

    async def look(self) -> None:
        """Tell the end of calls that were missing at the last look, too."""
        if (await asyncio.to_thread(held, self._spool))["events_waiting"]:
            self._missing = set()  # their ends may be among what waits
            return
        missing = await self._find()
        lost = missing & self._missing
        self._missing = missing - lost
        if lost:
            log.warning("calls_lost", calls=sorted(lost))
            await asyncio.to_thread(self._tell, lost)

    async def _find(self) -> set[str]:
        async with self._database.read() as connection:
            going_on = await service.unfinished(connection)
        there: set[str] = set()
        for place in range(0, len(going_on), ASKED_AT_ONCE):
            there |= await self._control.live(going_on[place : place + ASKED_AT_ONCE])
        return set(going_on) - there

    def _tell(self, calls: Iterable[str]) -> None:
        """Put their ends into the spool, where those of other calls come from."""
        at = f"{time.time():.6f}"
        events = [{"call": call, "seq": LAST, "type": "lost", "at": at} for call in calls]
        rows = [(f"{event['call']};lost", json.dumps(event)) for event in events]
        with closing(sqlite3.connect(self._spool, timeout=5)) as spool, spool:
            spool.executemany("INSERT OR IGNORE INTO event VALUES (?, ?)", rows)
