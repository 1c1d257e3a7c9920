"""Dial rules: what is accepted does in the C library's POSIX what it does in Perl's way of matching."""

import ctypes
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from peal.dialrules.model import Rule, RuleError, check_list, translate

libc = ctypes.CDLL(None)
REG_EXTENDED = 1


class Span(ctypes.Structure):
    """`regmatch_t`: from and to, -1 when the group took no part."""

    _fields_ = (("start", ctypes.c_int), ("end", ctypes.c_int))


def posix(rule: Rule, text: str) -> str | None:
    """Return what the C library makes of `text`; None: no match."""
    compiled = ctypes.create_string_buffer(256)
    assert libc.regcomp(compiled, rule.match_exp.encode(), REG_EXTENDED) == 0, rule
    spans = (Span * 10)()
    found = libc.regexec(compiled, text.encode(), 10, spans, 0)
    libc.regfree(compiled)
    if found != 0:
        return None
    return re.sub(r"\\(\d)", lambda n: text[spans[int(n[1])].start : spans[int(n[1])].end], rule.repl_exp)


def perl(match_exp: str, repl_exp: str, text: str) -> str | None:
    """Return what PCRE makes of `text`."""
    found = re.search(match_exp, text, re.ASCII)
    return None if found is None else found.expand(repl_exp)


ACCEPTED = [
    (r"^8(\d{10})$", r"+7\1", "89161234567", "+79161234567"),
    (r"^00(\d+)$", r"+\1", "0044207", "+44207"),
    (r"^(\+?7|8)(\d{10})$", r"\2", "+79161234567", "9161234567"),
    (r"^(7|8)?(\d{10})$", r"+7\2", "9161234567", "+79161234567"),
    (r"^9(.*)$", r"\1", "9101", "101"),
    (r"^[2-9]\d{2,6}$", r"0", "1234567", None),
    (r"^810.*", "", "8101", ""),
    (r"^(112|911|10[1-4])$", r"00\1", "103", "00103"),
    (r"^\*(\d+)#$", r"\1", "*55#", "55"),
    (r"^(?:8|\+7)(495|499)(\d{7})$", r"\1-\2", "+74951234567", "495-1234567"),
    (r"^[^\d]+$", "x", "abc", "x"),
    (r"^[\w-]+$", "x", "a-b", "x"),
    (r"^[\]^-]$", "x", "^", "x"),
]


@pytest.mark.parametrize(("match_exp", "repl_exp", "dialled", "becomes"), ACCEPTED)
def test_accepted(match_exp: str, repl_exp: str, dialled: str, becomes: str | None) -> None:
    assert posix(translate(match_exp, repl_exp), dialled) == becomes


REFUSED = [
    ("", "x", "empty"),
    ("()", "x", "empty"),
    ("1|", "x", "empty"),
    ("^$", "x", "empty"),
    ("(1", "x", "not closed"),
    ("1)", "x", "closes nothing"),
    ("[12", "x", "not closed"),
    ("[[:digit:]]", "x", "written"),
    ("[9-1]", "x", "range"),
    ("*1", "x", "where nothing is"),
    ("^*", "x", "anchor"),
    ("1{", "x", "where nothing is"),
    ("1{3,2}", "x", "repetition"),
    ("1{1000}", "x", "where nothing is"),
    ("1{65}", "x", "repetition"),
    ("1*?", "x", "lazy"),
    ("1++", "x", "possessive"),
    ("(1+)+", "x", "takes only `?`"),
    ("(1|12)", "x", "two alternatives"),
    ("(?=1)", "x", "look-around"),
    (r"(1)\1", "x", "not supported"),
    (r"\D", "x", "not supported"),
    (r"\b1", "x", "not supported"),
    ("1\\", "x", "not supported"),
    ("1/2", "x", "printable"),
    ("1\n", "x", "printable"),
    ("(1)" * 10, "x", "more than 9"),
    ("1" * 129, "x", "longer"),
    ("1", "\\1", "no group"),
    ("(1)", "\\2", "no group"),
    ("(1)", "\\0", "no group"),
    ("(1)", "x\\", "no group"),
    ("(1)", "$1", "not supported"),
    ("1", "a/b", "printable"),
    (".{0,64}" * 17 + "x$", "x", "repetition"),
    (".{0,32}" * 16 + "x$", "x", "steps"),
    (".*" * 40 + "x$", "x", "steps"),
    ("1?" * 60, "x", "steps"),
    (r"\d?" * 40 + "x$", "x", "steps"),
]


@pytest.mark.parametrize(("match_exp", "repl_exp", "reason"), REFUSED)
def test_refused(match_exp: str, repl_exp: str, reason: str) -> None:
    with pytest.raises(RuleError, match=re.escape(reason)):
        translate(match_exp, repl_exp)


def test_what_a_whole_list_costs_is_bounded() -> None:
    plain = translate(r"^8(\d{10})$", r"+7\1")
    check_list([plain] * 100)
    dear = translate(r"^\d{0,10}$", "")
    with pytest.raises(RuleError, match="together, at most 4000"):
        check_list([dear] * 100)


ATOMS = st.sampled_from(["1", "2", "3", r"\d", r"\*", ".", "[12]", "[^1]", r"[2-9*]", r"\+", "-"])
ONCE = st.tuples(ATOMS, st.sampled_from(["", "", "?", "*", "+", "{2}", "{1,2}", "{0,3}", "{2,}"])).map(
    "".join
)


def _grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    sequence = st.lists(inner, min_size=1, max_size=4).map("".join)
    branches = st.lists(sequence, min_size=1, max_size=3).map("|".join)
    group = st.tuples(st.sampled_from(["(", "(", "(?:"]), branches, st.sampled_from([")", ")", ")?"]))
    return group.map("".join) | sequence


EXPRESSIONS = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(st.recursive(ONCE, _grouped, max_leaves=8), min_size=1, max_size=4).map("".join),
    st.sampled_from(["", "$"]),
).map("".join)


@given(EXPRESSIONS, st.lists(st.text("123*+-", max_size=8), min_size=1, max_size=8))
def test_what_is_accepted_means_the_same_in_both(match_exp: str, dialled: list[str]) -> None:
    groups = len(re.findall(r"\((?!\?)", match_exp))
    repl_exp = "<" + ",".join(f"\\{number}" for number in range(1, min(groups, 9) + 1)) + ">"
    try:
        translated = translate(match_exp, repl_exp)
    except RuleError:
        assume(False)
    for text in dialled:
        assert posix(translated, text) == perl(match_exp, repl_exp, text), (translated, text)


@given(st.text(st.sampled_from("12\\d[]()|^$-{},?*+.:w"), max_size=24), st.text("12*^-]", max_size=6))
def test_any_text_is_refused_or_means_the_same(match_exp: str, dialled: str) -> None:
    try:
        translated = translate(match_exp, "<>")
    except RuleError:
        return
    assert posix(translated, dialled) == perl(match_exp, "<>", dialled), translated
