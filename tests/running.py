"""A `peal up` of a test's own."""

import json
import os
import signal
import subprocess
from pathlib import Path

from parts import PEAL, free_port, status_of, until
from sip.phone import Phone

AS_NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
"The interpreter may lie where only its owner passes: this user may read all, and write what is its own."
READS_ALL = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")


class Up:
    """A `peal up` in a folder of its own, on free ports."""

    def __init__(self, folder: Path, *before: str, **settings: str):
        self.folder, self.before, self.settings = folder, before, settings
        self.api, self.sip, self.tls, self.control, self.relay = free_ports(5)

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, PEAL, "up", "--json"],
                env={"PATH": os.environ["PATH"], "PYTHONFAULTHANDLER": "1", **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.told = json.loads(self.process.stdout.readline() or "null")
        return self

    @property
    def environment(self) -> dict[str, str]:
        ports = {
            "PORT": self.api,
            "SIP_PORT": self.sip,
            "SIP_TLS_PORT": self.tls,
            "CONTROL_PORT": self.control,
            "RELAY_PORT": self.relay,
        }
        values = {"HOME": self.folder / "home", **ports, **self.settings}
        return {f"PEAL_{name}": str(value) for name, value in values.items()}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, holds, seconds: float = 15):
        until(holds, seconds, lambda: self.log)

    def answers(self, url: str) -> bool:
        return status_of(url) == 200

    def wait(self, seconds: float = 15):
        self.until(lambda: self.answers(f"http://127.0.0.1:{self.api}/readyz"), seconds)
        self.until(lambda: self.answers(f"http://127.0.0.1:{self.control}/health"), seconds)
        return self

    def processes(self) -> dict[int, str]:
        """All that belong to it, and what they are: by the environment that they were given."""
        mark = f"PEAL_HOME={self.folder / 'home'}\0".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
        return found

    def pids(self, word: str) -> list[int]:
        return [pid for pid, command in self.processes().items() if word in command]

    def interrupt(self) -> int:
        """As by Ctrl-C: to all of the terminal's foreground."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        try:
            return self.process.wait(25)
        except subprocess.TimeoutExpired:  # before the API gives up its workers, after 30 s
            os.killpg(self.process.pid, signal.SIGABRT)  # each tells in the log where it stands
            self.process.wait(30)
            raise AssertionError(self.log[-10_000:]) from None

    def phone(self, number: str, told: dict) -> Phone:
        """A phone that is told what the first start has printed."""
        host, port = told["sip"].split(":")
        keys = told[f"phone_{number}"]
        return Phone(keys["login"], keys["password"], told["sip_domain"], (host, int(port)))


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]
