"""`make bench-history`: one table, ratios measured in one run."""

import argparse
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))
import delivery
import intake
import pages
from parts import Postgres
from place import Place

console = Console(width=140)
PARTS = {
    "intake": intake.rates,
    "pages": pages.times,
    "delay": delivery.delay,
}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", choices=PARTS)
    chosen = options.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # all that was started is ended
    table = Table("measure", "value", "must reach", title="make bench-history", title_justify="left")
    with tempfile.TemporaryDirectory(prefix="peal-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the cluster has a user of its own
        cluster = Postgres(folder)
        try:
            for part in [chosen.only] if chosen.only else PARTS:
                for row in PARTS[part](Place(cluster, folder, chosen.rounds)):
                    console.print(f"{row.measure}: {row.value}", highlight=False)
                    table.add_row(row.measure, row.value, row.must)
        finally:
            cluster.stop()
    console.print(table)


if __name__ == "__main__":
    main()
