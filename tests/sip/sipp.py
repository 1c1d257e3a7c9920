"""SIPp: phones that wait for calls, and load from phones that call or register."""

import csv
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from meter import Meter
from parts import free_port

SCENARIOS = Path(__file__).parent / "scenarios"
PASSWORD = "of-all-sipp-phones"
PROOF = f"[authentication username={{}} password={PASSWORD}]"
"""Credentials, as SIPp writes them."""
_SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
Row = tuple[str, ...]


class Phones:
    """Phones that wait for calls, each a SIPp that plays a scenario."""

    def __init__(self, folder: Path, scenarios: Sequence[str]) -> None:
        self.ports: list[int] = []
        self._running: list[subprocess.Popen[bytes]] = []
        self._folder = folder
        for scenario in scenarios:
            self._start(scenario)

    def _start(self, scenario: str) -> None:
        port = free_port()
        command = _command(scenario, port)
        self._running.append(subprocess.Popen(command, cwd=self._folder, **_SILENT))
        self.ports.append(port)

    @property
    def pids(self) -> list[int]:
        return [each.pid for each in self._running]

    def stop(self) -> None:
        for each in self._running:
            each.kill()
            each.wait()


@contextmanager
def phones(folder: Path, many: int, answering: int = 1, busy: int = 0) -> Iterator[Phones]:
    """`answering` answer, the others ring till they are ended; then come those that are busy."""
    running = Phones(folder, ["answer"] * answering + ["ring"] * (many - answering) + ["busy"] * busy)
    try:
        yield running
    finally:
        running.stop()


@dataclass(frozen=True)
class Outcome:
    """What a load has come to: calls, per second, CPU seconds of the SIPp that made them."""

    good: int
    failed: int
    rate: float
    cpu: float


def calls(
    port: int, rows: Sequence[tuple[str, str]], *, rate: float, many: int, held_ms: int = 300
) -> Outcome:
    """Let phones call by turns (who, whom), at a rate per second."""
    given = [(who, whom, PROOF.format(who)) for who, whom in rows]
    limit = max(1000, int(rate * (held_ms / 1000 + 2)))
    return _load("call", port, given, "-r", f"{rate:.0f}", "-m", many, "-l", limit, "-d", held_ms)


def calls_from_outside(
    port: int, rows: Sequence[tuple[str, str]], *, rate: float, log: Path, patience: float = 5
) -> Outcome:
    """Let numbers call once each (who, whom) from a trunk's address; the log says what became of each call.

    `patience`: how long one that rings and was forgotten is waited for, in seconds.
    """
    options = ("-r", f"{rate:.0f}", "-m", len(rows), "-l", 1000, "-d", 1000)
    options += ("-recv_timeout", f"{patience * 1000:.0f}", "-trace_logs", "-log_file", log)
    return _load("outside", port, rows, *options)


def registrations(
    port: int, rows: Sequence[tuple[str, int]], *, many: int | None = None, at_once: int = 8
) -> Outcome:
    """Let phones register by turns (user, port of its contact), `at_once` at any time, as fast as it goes."""
    given = [(user, str(contact), PROOF.format(user)) for user, contact in rows]
    return _load("register", port, given, "-r", 20000, "-m", many or len(rows), "-l", at_once)


def _load(scenario: str, port: int, rows: Sequence[Row], *options: object) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="peal-sipp-") as name:
        folder = Path(name)
        users = folder / "users"
        users.write_text("SEQUENTIAL\n" + "".join(f"{';'.join(row)}\n" for row in rows))
        command = [*_command(scenario, free_port()), "-inf", users, "-trace_stat", "-stf", folder / "stat"]
        command += [*map(str, options), f"127.0.0.1:{port}"]
        with subprocess.Popen(command, cwd=folder, **_SILENT) as process:
            cpu = Meter.of_process(process.pid)
            spent = 0.0
            try:
                while process.poll() is None:
                    spent = cpu.seconds() or spent
                    time.sleep(0.02)
            finally:
                process.kill()  # of an interrupted bench or test
        with (folder / "stat").open() as file:
            *_, last = csv.DictReader(file, delimiter=";")
    seconds = _moment(last["CurrentTime"]) - _moment(last["StartTime"])
    good, failed = int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])
    return Outcome(good, failed, good / seconds if seconds else 0.0, spent)


def _moment(told: str) -> float:
    """Return the seconds since the epoch of SIPp's date, time and seconds."""
    return float(told.split()[-1])


def _command(scenario: str, port: int) -> list[str | Path]:
    command: list[str | Path] = [
        "sipp",
        "-sf",
        SCENARIOS / f"{scenario}.xml",
        "-i",
        "127.0.0.1",
        "-mi",
        "127.0.0.1",
    ]
    return [*command, "-p", str(port), "-nostdin", "-buff_size", "4194304", "-deadcall_wait", "1000"]
