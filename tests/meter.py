"""CPU and memory of processes, as the kernel counts them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Meter:
    """CPU of some processes: what /proc/PID/stat shows as utime + stime, but to the nanosecond."""

    pids: Sequence[int]

    @classmethod
    def of_process(cls, pid: int) -> "Meter":
        return cls([pid])

    @classmethod
    def of_folder(cls, folder: Path) -> "Meter":
        """Of the Kamailio that works in a folder."""
        return cls(kamailio(folder))

    def seconds(self) -> float:
        return sum(map(_spent, self.pids)) / 1e9


def kamailio(folder: Path) -> list[int]:
    """Return the processes of the Kamailio that works in a folder."""
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _is_kamailio(each, folder)]


def private(pids: Sequence[int]) -> list[int]:
    """Return the private memory of each process, its share of what it has in common by copy, in bytes."""
    return [_rollup(pid, "Pss_Anon") * 1024 for pid in pids]


def _rollup(pid: int, name: str) -> int:
    found = re.search(rf"^{name}:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


def _spent(pid: int) -> int:
    try:
        return sum(int(each.read_text().split()[0]) for each in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    except OSError:  # it has ended
        return 0


def _is_kamailio(process: Path, folder: Path) -> bool:
    try:
        return (process / "comm").read_text() == "kamailio\n" and (process / "cwd").readlink() == folder
    except OSError:  # it has ended
        return False
