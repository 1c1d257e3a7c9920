"""`make bench-history`: one table, ratios measured in one run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))
import delivery
import intake
import pages
import subscribers
from place import at
from report import report

PARTS = {
    "intake": intake.rates,
    "pages": pages.times,
    "delay": delivery.delay,
    "subscribers": subscribers.rates,
    "backlog": subscribers.backlog,
}

if __name__ == "__main__":
    report("make bench-history", PARTS, at)
