"""The engine's own best: a Kamailio with `engine.cfg`, which does no more than any switch must."""

import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from parts import free_port
from sip.sipp import PASSWORD

from peal.switch import config, node

WORKERS = 4
"""As many as Peal's switch has."""


class Engine:
    """A running one."""

    def __init__(self, folder: Path, *, to_file: bool) -> None:
        self.folder, self.port = folder.resolve(), free_port()
        folder.mkdir()
        if to_file:
            _make(folder / "location.db")
        values = {
            "PASSWORD": PASSWORD,
            "PORT": str(self.port),
            "WORKERS": str(WORKERS),
            "HOME": str(self.folder),
            "MODULES": config.MODULES,
        }
        text = Path(__file__).with_name("engine.cfg").read_text()
        (folder / "kamailio.cfg").write_text(re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text))
        command = [
            config.PROGRAM,
            "-f",
            "kamailio.cfg",
            "-DD",
            "-E",
            "-w",
            ".",
            "-Y",
            ".",
            "-m",
            "256",
            "-M",
            "16",
        ]
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command + ["-A", "FILE"] * to_file, cwd=self.folder, stdout=log, stderr=log
            )
        self._await()

    def _await(self) -> None:
        """Wait until it answers: a request to nowhere is one of too many hops."""
        with socket.socket(type=socket.SOCK_DGRAM) as asking:
            asking.bind(("127.0.0.1", 0))
            asking.settimeout(0.05)
            port = asking.getsockname()[1]
            question = (
                f"OPTIONS sip:bench SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKb\r\n"
                "From: <sip:bench>;tag=b\r\nTo: <sip:bench>\r\nCall-ID: bench\r\nCSeq: 1 OPTIONS\r\n"
                "Max-Forwards: 0\r\nContent-Length: 0\r\n\r\n"
            )
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                asking.sendto(question.encode(), ("127.0.0.1", self.port))
                try:
                    asking.recv(65536)
                except OSError:
                    continue
                return
        self.stop()
        raise TimeoutError((self.folder / "log").read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def engine(folder: Path, *, to_file: bool = False) -> Iterator[Engine]:
    running = Engine(folder, to_file=to_file)
    try:
        yield running
    finally:
        running.stop()


def _make(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        for name in ("standard", "usrloc"):
            database.executescript((node.SCHEMAS / f"{name}-create.sql").read_text())
