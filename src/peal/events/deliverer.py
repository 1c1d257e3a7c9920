"""Delivering: what is due goes out, subscriber by subscriber, until the process is told to stop.

A round is what one subscriber is sent at a time: it is claimed, so that no other process does the same; its
calls go side by side, the events of one call in their order; what came of them is written in one transaction.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import structlog

from peal.db.engine import Database
from peal.db.failures import FAILURES
from peal.events import claims, model
from peal.events.claims import Claim
from peal.events.model import Due, Outcome
from peal.events.sender import Sender
from peal.kit import dates

log = structlog.get_logger()
IDLE_SECONDS = 0.05
"""Between two looks at the outbox."""
RETRY_SECONDS = 1.0
DATABASE_SECONDS = 10.0
"""How long PostgreSQL may take, to read or for a transaction: the connection may have gone without a word."""
ROUND = 32
"""Deliveries of a round."""
SIDE_BY_SIDE = 8
"""Calls of a round at a time."""
SUBSCRIBERS = 1000
"""Rounds at a time: a dead subscriber takes a place only as long as a request may."""


class Deliverer:
    """One deliverer; several may run over one database."""

    def __init__(self, database: Database, sender: Sender, seconds: float) -> None:
        self._database, self._sender = database, sender
        self._round_seconds = seconds
        # a round starts no request after the time of one, so it is over after two
        self._lease = timedelta(seconds=3 * seconds)
        self._rounds: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Begin no more requests; `run` returns when those under way are over."""
        self._stopping.set()

    async def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping.is_set():
            try:
                found = await self._begin()
            except FAILURES as error:
                log.warning("deliveries_wait", reason=str(error) or type(error).__name__)
                await self._rest(RETRY_SECONDS)
            else:
                await self._rest(0 if found else IDLE_SECONDS)
        if self._rounds:
            await asyncio.wait(self._rounds)

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _begin(self) -> bool:
        """Claim who has something due, and begin their rounds; return whether there was anybody."""
        room = SUBSCRIBERS - len(self._rounds)
        async with self._database.read(DATABASE_SECONDS) as connection:
            if not room or not await claims.waiting(connection, dates.now()):
                return False
        async with self._database.write(DATABASE_SECONDS) as connection:
            claimed = await claims.claim(connection, dates.now(), self._lease, room)
        for each in claimed:
            task = asyncio.create_task(self._round(each))
            self._rounds.add(task)
            task.add_done_callback(self._rounds.discard)
        return bool(claimed)

    async def _round(self, claimed: Claim) -> None:
        """Send what a subscriber is due. Should the database be away, all of it is sent again later."""
        try:
            size = model.round_size(claimed.failures, ROUND)
            async with self._database.read(DATABASE_SECONDS) as connection:
                due = await claims.due(connection, claimed.id, dates.now(), size)
            done = await self._send(claimed.url, due)
            async with self._database.write(DATABASE_SECONDS) as connection:
                if due:
                    await claims.settle(connection, claimed, done, dates.now())
                else:
                    await claims.rest(connection, claimed, dates.now())
        except FAILURES as error:
            log.warning("round_lost", subscriber=claimed.id, reason=str(error) or type(error).__name__)
        except Exception:  # a defect: the subscriber is claimed until its lease is over, others go on
            log.exception("alarm: round_lost", subscriber=claimed.id)

    async def _send(self, url: str, due: Sequence[Due]) -> list[tuple[Due, Outcome]]:
        places = asyncio.Semaphore(SIDE_BY_SIDE)
        ends = asyncio.get_running_loop().time() + self._round_seconds
        lanes = [self._send_lane(url, lane, places, ends) for lane in model.lanes(due)]
        return [each for done in await asyncio.gather(*lanes) for each in done]

    async def _send_lane(
        self, url: str, lane: Sequence[Due], places: asyncio.Semaphore, ends: float
    ) -> list[tuple[Due, Outcome]]:
        """Send what is of one call, in its order, until one is not taken, or the time has come to end."""
        done: list[tuple[Due, Outcome]] = []
        async with places:
            for one in lane:
                if self._stopping.is_set() or asyncio.get_running_loop().time() > ends:
                    break
                outcome = await self._sender.send(url, one)
                done.append((one, outcome))
                if outcome.result != "delivered":
                    break
        return done
