"""A switchboard without a switch: tells events of calls as the switch would, to a Peal's database."""

import asyncio
import json
import secrets
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from parts import Tenant

from peal.db.engine import Database
from peal.switch.intake import Intake
from peal.switch.node import SPOOL, create


class Board:
    """Takes in what it is told, for one client."""

    def __init__(self, tenant: Tenant, folder: Path):
        self.tenant = tenant
        self.spool = folder / f"{secrets.token_hex(4)}.db"
        create(self.spool, SPOOL)
        self.prefix, self.domain = tenant.client["prefix"], tenant.client["domain"]

    def full(self, number: str) -> str:
        return number if len(number) > 4 else f"{self.prefix}*{number}"

    def call(self, caller: str, called: str, main: str = "", **more) -> "Told":
        """A call that begins now; `main` of the one who calls, if it is another."""
        return Told(self, caller, called, main, more)

    def take(self, *events: dict):
        """Put events into the spool and forward them."""
        rows = [(f"{event['call']};{event['seq']}", json.dumps(event)) for event in events]
        with closing(sqlite3.connect(self.spool)) as file, file:
            file.executemany("INSERT OR IGNORE INTO event VALUES (?, ?)", rows)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, self._forward()).result()

    async def _forward(self):
        opened = Database(self.tenant.server.database, connections=1)
        try:
            while await Intake(self.spool, opened).forward():
                pass
        finally:
            await opened.close()


class Told:
    """The events of one call, as they are told one after the other."""

    def __init__(self, board: Board, caller: str, called: str, main: str, more: dict):
        self.board = board
        self.id = secrets.token_hex(16)
        self.at = time.time()
        self.parties = {
            "domain": board.domain,
            "from": board.full(caller),
            "from_main": board.full(main or caller),
            "to": board.full(called),
            "to_main": board.full(called),
            "dialled": called,
        } | more
        self.events: list[dict] = []

    @property
    def uuid(self) -> str:
        return self.id.upper()

    def add(self, kind: str, after: float = 0.0, **fields) -> "Told":
        """Tell one more event, so many seconds after the one before."""
        self.at += after
        head = {"call": self.id, "seq": len(self.events) + 1, "type": kind, "at": f"{self.at:.6f}"}
        self.events.append(head | fields)
        return self

    def begin(self, *devices: str) -> "Told":
        self.add("begin", **self.parties)
        for branch, device in enumerate(devices):
            self.add("ring", device=device, leg=branch)
        return self

    def answer(self, device: str, after: float = 2.0) -> "Told":
        """One phone answers, the others are cancelled."""
        rang = {event["device"]: event["leg"] for event in self.events if event["type"] == "ring"}
        self.at += after
        self.parties |= {"answered_by": device, "answered_at": f"{self.at:.6f}"}
        self.add("leg", device=device, leg=rang[device], code="200")
        self.add("answer", **self.parties)
        for other, branch in rang.items():
            if other != device:
                self.add("leg", device=other, leg=branch, code="487")
        return self

    def hangup(self, after: float = 3.0, **fields) -> "Told":
        return self.add("hangup", after, **self.parties, **fields)

    def take(self) -> "Told":
        """Have all of it taken in."""
        self.board.take(*self.events)
        return self
