"""All of Peal as `peal up` runs it, killed part by part, and a subscriber that goes away and comes back."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from events.books import Books
from parts import Server
from running import Up

FORWARDER, DELIVERER, API, SWITCH = "switch forward", "events run", "peal up", "kamailio"
"What is killed, by its command: the API is a worker of `peal up`."

SECONDS = 60
"How long a part may take to come back: calls take the machine all the time."


@dataclass
class Everything(Server):
    """A `peal up`."""

    def start(self):
        own = {name.removeprefix("PEAL_"): value for name, value in self.settings.items()}
        self.up = Up(self.log.parent, DATABASE_URL=self.database, **own)
        self.up.api = self.port
        self.process = self.up.start().wait().process

    def stop(self) -> int:
        self.process.stdout.close()
        return super().stop()


class Whole:
    """An exchange of an `Office` that is one `peal up`."""

    listener = None

    def __init__(self, database: str, folder: Path, **settings: str):
        self.folder = folder
        self.api = Everything(database, folder / "log", settings)
        self.up, self.port = self.api.up, self.api.up.sip

    def kill(self, command: str):
        """Kill what runs a command; return when its watcher has begun another, and all is good."""
        before = self._running(command)
        assert before
        for pid in before:
            with suppress(ProcessLookupError):  # its watcher ends what is left of a switch
                os.kill(pid, signal.SIGKILL)
        self.up.until(lambda: (now := self._running(command)) and not now & before, SECONDS)
        self.up.wait(SECONDS)

    def _running(self, command: str) -> set[int]:
        return {*self.up.pids(command)} - {self.up.process.pid}


class Subscriber(Books):
    """One that goes away and comes back."""

    def told(self, *names: str) -> dict[str, list[tuple[str, ...]]]:
        """These fields of the events of each call."""
        return {
            call: [tuple(event[name] for name in names) for event in events]
            for call, events in self.calls.items()
        }

    @contextmanager
    def down(self) -> Iterator[None]:
        """Nobody listens, and what was connected is cut."""
        self._do(self._stop())
        self._connections.clear()
        yield
        self.server = self._do(asyncio.start_server(self._take, self.host, self.port))
