"""The behaviour table of the docs claims no test that is not there, and forgets none that is."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "behaviour.md").read_text()
WRITER = runpy.run_path(str(ROOT / "setup" / "write_behaviour.py"))


def cells() -> dict[int, str]:
    """What the last column says of each row."""
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    return {int(number): cell for number, cell in rows}


def test_all_rows_are_there():
    assert list(cells()) == list(range(1, 52))


def test_each_row_names_the_tests_that_play_it():
    """`make behaviour` writes it anew."""
    assert WRITER["marked"](PAGE) == PAGE


def test_a_row_without_a_test_is_said_to_be_not_yet_there():
    played = {number for number, files in WRITER["played"]().items() if files}
    assert {number for number, cell in cells().items() if cell == "not yet"} == set(range(1, 52)) - played


def test_every_test_that_is_named_is_a_file():
    for link in re.findall(r"\]\(\.\./(tests/[^)]+)\)", PAGE):
        assert (ROOT / link).is_file()
