"""`make bench-sip`: one table, ratios measured in one run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent))
import calls
import changes
import memory
import registrations
from place import at
from report import report

PARTS = {
    "bundle": calls.bundle,
    "single": calls.single,
    "registrations": registrations.rates,
    "top": calls.top,
    "changes": changes.both_databases,
    "memory": memory.sizes,
}

if __name__ == "__main__":
    report("make bench-sip", PARTS, at)
