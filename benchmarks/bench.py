"""`make bench`: one table, ratios measured in one run. `--seconds N` sets the length of a measurement."""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from parts import POSTGRES, Postgres, Server, free_port

CONNECTIONS = 16
SIZE = 5
"""Extensions of a bundle in the PUT measurement."""
console = Console(width=140)

FILL = """
INSERT INTO client (id, name, prefix, domain, extension_len, create_date)
    SELECT i, 'Bench', i::text, 'pbx.test', 4, now() FROM generate_series(1, {clients}) i;
INSERT INTO bundle (id, client_id, type, status, record_transfer, record_enabled,
    conference_announce_caller_name, conference_end_on_exit, record_format, record_stereo)
    SELECT i * {size} + 1, i * {size} / 9000 + 1, 'phone', 'active', false, false, true, true, 'mp3', false
    FROM generate_series(0, {extensions} / {size} - 1) i;
INSERT INTO extension (id, client_id, bundle_id, position, number, type, create_date)
    SELECT i + 1, i / {size} * {size} / 9000 + 1, i / {size} * {size} + 1, i % {size},
        lpad((i - (i / {size} * {size} / 9000 * 9000) + 500)::text, 4, '0'), 'phone', now()
    FROM generate_series(0, {extensions} - 1) i;
INSERT INTO phone (extension_id, client_id) SELECT id, client_id FROM extension;
SELECT setval(pg_get_serial_sequence('client', 'id'), {clients});
SELECT setval(pg_get_serial_sequence('bundle', 'id'), {extensions});
"""

SCRIPT_GET = """
local prefix, last = "{path}", {extensions}
math.randomseed(os.time())
request = function()
  local i = math.random(1, last)
  local main = math.floor((i - 1) / {size}) * {size}
  local client = math.floor(main / 9000) + 1
  return wrk.format("GET", prefix .. "/client/" .. client .. "/extensions_bundle/" .. i)
end
"""

SCRIPT_PUT = """
local last, n = {extensions}, 0
math.randomseed(os.time())
wrk.headers["Content-Type"] = "application/json"
request = function()
  n = n + 1
  return wrk.format("PUT", "/api/ver1.0/extension/" .. math.random(1, last) .. "/phone/", nil,
    '{{"incoming_limit": ' .. (n % 900000) + 1 .. '}}')
end
"""

PGBENCH_GET = r"""
\set id random(1, {extensions})
SELECT u.id, u.role, u.client_id, t.expires_at FROM access_token t JOIN user_account u ON u.id = t.user_id
    WHERE t.token_hash = '{token}';
SELECT bundle_id, id FROM extension
    WHERE bundle_id = (SELECT bundle_id FROM extension WHERE id = :id) ORDER BY position;
"""


def psql(cluster: Postgres, database: str, sql: str) -> str:
    command = [POSTGRES / "psql", "-qAt", "-d", cluster.url(database), "-c", sql]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def wrk(base: str, script: str, token: str, seconds: int, path: str = "") -> float:
    """Return requests per second; every answer must have been a 2xx."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", file.name]
        command += ["-H", f"Authorization: Bearer {token}", base + path]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise SystemExit(f"bench: not every request was answered:\n{out}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])


def pgbench(url: str, script: str, seconds: int) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            POSTGRES / "pgbench",
            "-n",
            "-c16",
            "-j1",
            "-M",
            "prepared",
            f"-T{seconds}",
            "-f",
            file.name,
            url,
        ]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(re.search(r"tps = ([\d.]+)", out)[1])


def median(measure, rounds: int) -> float:
    return statistics.median(measure() for _ in range(rounds))


def fill(cluster: Postgres, name: str, extensions: int, size: int) -> str:
    cluster._sql(f"CREATE DATABASE {name} TEMPLATE template")
    psql(cluster, name, FILL.format(extensions=extensions, size=size, clients=extensions // 9000 + 1))
    psql(cluster, name, "VACUUM ANALYZE")
    return cluster.url(name)


def memory(pid: int) -> int:
    """Return the PSS of a process, in kB."""
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


class Bench:
    def __init__(self, cluster: Postgres, folder: Path, seconds: int, rounds: int):
        self.cluster, self.folder, self.seconds, self.rounds = cluster, folder, seconds, rounds
        self.rows = []

    def row(self, measure: str, value: str, must: str = ""):
        self.rows.append((measure, value, must))
        console.print(f"{measure}: {value}", highlight=False)

    def server(self, url: str) -> Server:
        started = time.perf_counter()
        server = Server(url, self.folder / "server.log", {"PEAL_RATE_LIMIT": "1000000000"})
        server.ready_after = time.perf_counter() - started
        server.token = server.api(rate_limit=1_000_000_000).token
        return server

    def get(self, base: str, token: str, extensions: int, size: int) -> float:
        script = SCRIPT_GET.format(path="/api/ver1.0", extensions=extensions, size=size)
        return median(lambda: wrk(base, script, token, self.seconds), self.rounds)

    def put(self, base: str, token: str, extensions: int) -> float:
        script = SCRIPT_PUT.format(extensions=extensions)
        return median(lambda: wrk(base, script, token, self.seconds), self.rounds)

    def baseline(self, url: str, token: str, extensions: int, size: int) -> float:
        port = free_port()
        command = [Path(sys.executable).with_name("granian"), "--interface", "asgi", "--port", str(port)]
        env = {**os.environ, "BASELINE_DATABASE_URL": url}
        with subprocess.Popen(
            [*command, "--no-ws", "--log-level", "warning", "baseline:app"],
            env=env,
            cwd=Path(__file__).parent,
        ) as process:
            try:
                base = f"http://127.0.0.1:{port}"
                wait_for(f"{base}/api/ver1.0/empty")
                return self.get(base, token, extensions, size)
            finally:
                process.terminate()

    def reads(self, extensions: int = 200_000, size: int = 4):
        url = fill(self.cluster, "reads", extensions, size)
        server = self.server(url)
        try:
            ours = self.get(server.url, server.token, extensions, size)
            theirs = self.baseline(url, server.token, extensions, size)
            empty = median(lambda: wrk(server.url, "", server.token, self.seconds, "/healthz"), self.rounds)
            two = PGBENCH_GET.format(extensions=extensions, token="0" * 64)
            direct = median(lambda: pgbench(url, two, self.seconds), self.rounds)
            self.row("GET bundle, PostgreSQL", f"{ours:,.0f}/s")
            self.row("  against FastAPI + ORM", f"{ours / theirs:.2f} x ({theirs:,.0f}/s)", "2.5 x")
            self.row("  against pgbench's two queries", f"{ours / direct:.2f} ({direct:,.0f}/s)", "0.15")
            self.row("  against an empty route of our own", f"{ours / empty:.2f} ({empty:,.0f}/s)", "0.12")
        finally:
            server.stop()

    def sizes(self):
        rates = {}
        for extensions in (10_000, 1_000_000):
            server = self.server(fill(self.cluster, f"size{extensions}", extensions, SIZE))
            try:
                rates[extensions] = (
                    self.get(server.url, server.token, extensions, SIZE),
                    self.put(server.url, server.token, extensions),
                )
            finally:
                server.stop()
        small, large = rates.values()
        for i, name in enumerate(("GET bundle", "PUT phone")):
            value = f"{large[i] / small[i]:.2f} ({large[i]:,.0f}/s, {small[i]:,.0f}/s)"
            self.row(f"{name} at 1,000,000 extensions against 10,000", value, "0.9")

    def start(self):
        url = fill(self.cluster, "start", 1000, SIZE)
        server = self.server(url)
        try:
            workers = children(server.process.pid)
            every = sum(memory(pid) for pid in (server.process.pid, *workers))
            self.row("start to ready", f"{server.ready_after:.2f} s", "1.5 s")
            self.row("memory (PSS) of one worker", f"{max(map(memory, workers)) / 1024:.0f} MB", "120 MB")
            self.row("memory (PSS) of all processes", f"{every / 1024:.0f} MB")
        finally:
            server.stop()

    def table(self):
        table = Table("measure", "value", "must reach", title="make bench", title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def wait_for(url: str):
    for _ in range(400):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=["reads", "sizes", "start"])
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="peal-bench-") as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "pg"
        data.mkdir()
        cluster = Postgres(data)
        try:
            bench = Bench(cluster, Path(folder), chosen.seconds, chosen.rounds)
            for part in [chosen.only] if chosen.only else ["start", "reads", "sizes"]:
                getattr(bench, part)()
            bench.table()
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
