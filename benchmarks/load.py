"""Load from other processes: wrk against a server, pgbench against PostgreSQL. Rates are per second."""

import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass

from data import CLIENT
from parts import POSTGRES

CONNECTIONS = 16

SCRIPT_GET = """
math.randomseed(os.time())
request = function()
  local i = math.random(1, {extensions})
  return wrk.format("GET", "/api/ver1.0/client/" .. math.floor((i - 1) / {client}) + 1
    .. "/extensions_bundle/" .. i)
end
"""

SCRIPT_PUT = """
local n = 0
math.randomseed(os.time())
wrk.headers["Content-Type"] = "application/json"
request = function()
  n = n + 1
  return wrk.format("PUT", "/api/ver1.0/extension/" .. math.random(1, {extensions}) .. "/phone/", nil,
    '{{"incoming_limit": ' .. (n % 900000) + 1 .. '}}')
end
"""


@dataclass(frozen=True)
class Target:
    """A server, a token, and how many extensions it has."""

    base: str
    token: str
    extensions: int

    def wrk(self, script: str, seconds: int, path: str = "") -> float:
        """Return requests per second; every answer must have been a 2xx."""
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
            file.write(script.format(extensions=self.extensions, client=CLIENT))
            file.flush()
            command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", file.name]
            command += ["-H", f"Authorization: Bearer {self.token}", self.base + path]
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "Non-2xx" in out or "Socket errors" in out:
            raise SystemExit(f"bench: not every request was answered:\n{out}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def pgbench(url: str, script: str, seconds: int) -> float:
    """Return transactions per second of 16 connections, with prepared statements."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [POSTGRES / "pgbench", "-n", f"-c{CONNECTIONS}", "-j1", "-M", "prepared", f"-T{seconds}"]
        out = subprocess.run([*command, "-f", file.name, url], check=True, capture_output=True, text=True)
    return float(re.search(r"tps = ([\d.]+)", out.stdout)[1])


def ratios(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """Return the median of each measure; a round takes each once, so that all see the same machine."""
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [statistics.median(values) for values in zip(*taken, strict=True)]
