"""`make demo`: a show piece that must not lie."""

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parent.parent.parent / "setup" / "demo.py"


# Break: ring.cfg, PHONES: `$avp(ring) = "101"`; notices.py, notice: without BundleInfo.
def test_the_demo_plays_its_story_to_the_end():
    done = subprocess.run([sys.executable, DEMO], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    for row in (1, 18, 27):
        assert f"as the behaviour table says  row {row}\n" in done.stdout
        assert f"as the behaviour table says  row {row}: its history\n" in done.stdout
        assert f"as the contract says  row {row}: its events, in their order\n" in done.stdout
    assert done.stdout.count("hangup") == 6 + 1
    assert "as the contract says  each event was signed with its subscription's secret\n" in done.stdout
