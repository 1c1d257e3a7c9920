"""The systemd units: systemd understands them, and they start what is there."""

import re
import subprocess
from pathlib import Path

import pytest
from parts import PEAL

UNITS = sorted((Path(__file__).parent.parent.parent / "deploy").glob("*.service"))
INSTALLED = "/opt/peal/.venv/bin/peal"


def commands(unit: Path) -> list[list[str]]:
    return [line.split() for line in re.findall(r"^Exec\w+=(.+)$", unit.read_text(), re.MULTILINE)]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_has_nothing_to_say_against_a_unit(unit, tmp_path):
    """With this checkout's program in place of the installed one: systemd looks whether it can be run."""
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace(INSTALLED, str(PEAL)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", here],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_unit_starts_a_command_that_exists():
    found = [command for unit in UNITS for command in commands(unit)]
    assert [" ".join(each[1:]) for each in found] == ["events run", "switch run", "switch reload", "serve"]
    for program, *arguments in found:
        assert program == INSTALLED
        subprocess.run([PEAL, *arguments, "--help"], check=True, capture_output=True)
