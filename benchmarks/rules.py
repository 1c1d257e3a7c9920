"""What the dearest dial rules that are accepted take, against ordinary ones: CPU of the C library's matcher.

.venv/bin/python benchmarks/rules.py
"""

import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from dialrules.test_model import posix

from peal.dialrules.model import MAX_LIST_STEPS, Rule, check_list, translate

PLAIN = [r"^8(\d{10})$", r"^00(\d+)$", r"^(\+?7|8)(\d{10})$", r"^(112|911|10[1-4])$", r"^8(495|499)(\d{7})$"]
DEAREST = [
    r"(.{1,}[^3]{30,32}[12])x$",
    r"^\w{1,}[12]?.\w+[1-9][^3]{2,}.{2,}[^3]{32}",
    r"[1-9]{1,}.\w{0,8}[1-9]{0,2}1{0,8}[^3]{16,}\d{1,4}1{16,}$",
    r".{0,32}x$",
    r"^(.{0,8})(.{0,8})(.{0,8})(.{0,8})x$",
    r"[12]?[^3]?\d?[1-9]?\w?[2-9]?[1-7]?[1-6]?x$",
]
"""What takes most time for its steps, found among some ten thousand random expressions."""


def seconds(rules: list[Rule], dialled: str) -> float:
    """The CPU time, at best, that a list takes of which no rule matches."""
    times = []
    for _ in range(5):
        began = time.thread_time()
        assert [posix(rule, dialled) for rule in rules] == [None] * len(rules)
        times.append(time.thread_time() - began)
    return min(times)


def main():
    dialled = "1" * 32
    ordinary = seconds([translate(PLAIN[number % len(PLAIN)], "") for number in range(100)], dialled)
    table = Table("the dearest list of", "against 100 ordinary rules, must be below 10")
    for match_exp in DEAREST:
        rule = translate(match_exp, "")
        dear = [rule] * min(100, MAX_LIST_STEPS // rule.steps)
        check_list(dear)
        table.add_row(match_exp, f"{seconds(dear, dialled) / ordinary:.1f} x")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
