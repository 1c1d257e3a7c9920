"""Write into docs/behaviour.md which tests play each row."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "behaviour.md"
NOT_YET = "not yet"
ROW = re.compile(r"^(\| (\d+) \|.*\|) [^|]* \|$", re.MULTILINE)
TEST = re.compile(r"^def test_row_(\d\d(?:_and_\d\d)*)_", re.MULTILINE)


def played() -> dict[int, list[Path]]:
    """Return the files whose tests play each row."""
    files: dict[int, list[Path]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        numbers = {
            int(each) for found in TEST.findall(file.read_text("utf-8")) for each in found.split("_and_")
        }
        for number in numbers:
            files[number].append(file)
    return files


def marked(page: str) -> str:
    """Return the page with its last column as the tests are."""
    files = played()

    def mark(row: re.Match[str]) -> str:
        links = (f"[{_short(file)}](../{file.relative_to(ROOT)})" for file in files[int(row[2])])
        return f"{row[1]} {', '.join(links) or NOT_YET} |"

    return ROW.sub(mark, page)


def _short(file: Path) -> str:
    return file.stem.removeprefix("test_").replace("_", " ")


if __name__ == "__main__":
    PAGE.write_text(marked(PAGE.read_text("utf-8")), "utf-8")
