"""`make bench`: one table, ratios measured in one run. `--seconds N` sets the length of a measurement."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import data
import statements
from load import SCRIPT_GET, SCRIPT_PUT, Target, pgbench, ratios
from parts import Postgres, Server, free_port

READ_SIZE, WRITE_SIZE = 4, 5
"""Extensions of a bundle where bundles are read, and where a member is changed."""
UNREACHABLE = 1_000_000_000
"""Requests per hour that the bench's application may send: limiting is on, and never strikes."""
console = Console(width=140)


def memory(pid: int) -> int:
    """Return the PSS of a process, in MB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)[1]) // 1024


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Bench:
    """One run: a cluster, a folder, the rows of the table."""

    def __init__(self, cluster: Postgres, folder: Path, seconds: int, rounds: int) -> None:
        self.cluster, self.folder, self.seconds, self.rounds = cluster, folder, seconds, rounds
        self.rows: list[tuple[str, str, str]] = []

    def row(self, measure: str, value: str, must: str = "") -> None:
        self.rows.append((measure, value, must))
        console.print(f"{measure}: {value}", highlight=False)

    @contextmanager
    def server(self, url: str) -> Iterator[Server]:
        running = Server(url, self.folder / "server.log")
        try:
            yield running
        finally:
            running.stop()

    def target(self, server: Server, extensions: int) -> Target:
        return Target(server.url, server.api(rate_limit=UNREACHABLE).token, extensions)

    def get(self, target: Target) -> float:
        return target.wrk(SCRIPT_GET, self.seconds)

    def put(self, target: Target) -> float:
        return target.wrk(SCRIPT_PUT, self.seconds)

    @contextmanager
    def baseline(self, url: str, target: Target) -> Iterator[Target]:
        """Run the plain FastAPI server."""
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
                yield Target(base, target.token, target.extensions)
            finally:
                process.terminate()

    def reads(self, extensions: int = 200_000) -> None:
        url = data.postgresql(self.cluster, extensions, READ_SIZE)
        with self.server(url) as server:
            target = self.target(server, extensions)
            two = statements.GET.format(extensions=extensions, token="0" * 64)
            with self.baseline(url, target) as plain:
                ours, theirs, empty, direct = ratios(
                    self.rounds,
                    lambda: self.get(target),
                    lambda: self.get(plain),
                    lambda: target.wrk("", self.seconds, "/healthz"),
                    lambda: pgbench(url, two, self.seconds),
                )
        self.row("GET bundle, PostgreSQL", f"{ours:,.0f}/s")
        self.row("  against FastAPI + ORM", f"{ours / theirs:.2f} x ({theirs:,.0f}/s)", "2.5 x")
        self.row("  against pgbench's two queries", f"{ours / direct:.2f} ({direct:,.0f}/s)", "0.15")
        self.row("  against an empty route of our own", f"{ours / empty:.2f} ({empty:,.0f}/s)", "0.12")

    def writes(self, extensions: int = 200_000) -> None:
        url = data.postgresql(self.cluster, extensions, WRITE_SIZE)
        statements.log_all(url)
        with self.server(url) as server:
            script = statements.of_put_phone(self.target(server, extensions), self.cluster.folder / "log")
        statements.log_none(url)
        with self.server(url) as server:
            target = self.target(server, extensions)
            ours, direct = ratios(
                self.rounds, lambda: self.put(target), lambda: pgbench(url, script, self.seconds)
            )
        self.row("PUT phone, bundle of five, PostgreSQL", f"{ours:,.0f}/s")
        self.row("  against pgbench, the same statements", f"{ours / direct:.2f} ({direct:,.0f}/s)", "0.5")

    def sizes(self) -> None:
        urls = {size: data.postgresql(self.cluster, size, WRITE_SIZE) for size in (10_000, 1_000_000)}
        with self.server(urls[10_000]) as one, self.server(urls[1_000_000]) as other:
            small, large = self.target(one, 10_000), self.target(other, 1_000_000)
            for name, measure in (("GET bundle", self.get), ("PUT phone", self.put)):
                few, many = ratios(self.rounds, lambda m=measure: m(small), lambda m=measure: m(large))
                value = f"{many / few:.2f} ({many:,.0f}/s, {few:,.0f}/s)"
                self.row(f"{name} at 1,000,000 extensions against 10,000", value, "0.9")

    def sqlite(self, extensions: int = 200_000) -> None:
        url = data.sqlite(self.folder, extensions, WRITE_SIZE)
        with self.server(url) as server:
            target = self.target(server, extensions)
            gets, puts = ratios(self.rounds, lambda: self.get(target), lambda: self.put(target))
        self.row("GET bundle, SQLite", f"{gets:,.0f}/s")
        self.row("PUT phone, SQLite", f"{puts:,.0f}/s")

    def start(self) -> None:
        url = data.postgresql(self.cluster, 1000, WRITE_SIZE)

        def seconds() -> float:
            started = time.perf_counter()
            with self.server(url):
                return time.perf_counter() - started

        (ready,) = ratios(self.rounds, seconds)
        with self.server(url) as server:
            workers = children(server.process.pid)
            self.row("start to ready", f"{ready:.2f} s", "1.5 s")
            self.row("memory (PSS) of one worker", f"{max(map(memory, workers))} MB", "120 MB")
            every = memory(server.process.pid) + sum(map(memory, workers))
            self.row("memory (PSS) of all processes", f"{every} MB")

    def table(self) -> None:
        table = Table("measure", "value", "must reach", title="make bench", title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def wait_for(url: str) -> None:
    for _ in range(400):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(url)


PARTS = ("start", "reads", "writes", "sizes", "sqlite")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=PARTS)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="peal-bench-") as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "pg"
        place.mkdir()
        cluster = Postgres(place)
        try:
            bench = Bench(cluster, Path(folder), chosen.seconds, chosen.rounds)
            for part in [chosen.only] if chosen.only else PARTS:
                getattr(bench, part)()
            bench.table()
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
