"""Dial rules: the part of PCRE that POSIX can run with the same outcome, and its translation.

Integrators write PCRE; the SIP service runs POSIX extended expressions, which cannot blow up in time.
The two choose differently where an expression can match in several ways: PCRE takes the first
alternative, POSIX the longest match. What would be ambiguous is therefore refused:

* two alternatives must differ in a character that both must have (`1|12` is refused),
* of quantifiers a group takes only `?`, it must not lie in another group, and `$` must end it all,
* look-around, back-references, lazy and possessive quantifiers do not exist.

The SIP service runs a list within a call, so what a list can cost is bounded, too: in steps, each about a
microsecond of the C library's (`Rule.steps`; `make bench-rules` measures the dearest lists).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from peal.errors import PealError

MAX_LENGTH = 128
MAX_GROUPS = 9
MAX_REPEAT = 32
"""As many characters as a number that goes outside may have."""
MAX_STEPS = 400
"""Of one rule."""
MAX_LIST_STEPS = 4000
_CHOICE = 8
"""Steps of a repetition that may be left out: the matcher goes both ways from there."""
_CLASS, _FIRST_CLASS, _FIRST = 2, 25, 2
"""Steps of a class, more steps of each class, or other character, that a match may begin with: the C library
notes all of those before it looks."""

_COUNTED = (
    f"a character takes 1, a class {_CLASS}, each as often as it is repeated; {_CHOICE} more each time that"
    f" it may be left out; {_FIRST_CLASS} more for each class after the first that a match may begin with"
)

_ALPHABET = frozenset(map(chr, range(32, 127)))
_DIGITS = frozenset("0123456789")
_WORD = frozenset(c for c in _ALPHABET if c.isalnum()) | {"_"}
_ESCAPED_CLASSES = {"d": (_DIGITS, "0-9"), "w": (_WORD, "A-Za-z0-9_")}
_SPECIAL = frozenset("^$.[]()|*+?{}\\")
_REPEAT = re.compile(r"\{(\d{1,3})(,(\d{1,3})?)?\}")

Characters = frozenset[str]


class RuleError(PealError):
    """A rule that is refused; the text says why."""


@dataclass(frozen=True)
class _Piece:
    """A part of a sequence, written in POSIX, and what it can begin with."""

    posix: str
    starts: tuple[Characters, ...] = ()
    """What its first characters are among; fewer than its length when it varies."""
    exact: bool = True
    """Whether `starts` is all of it."""
    nullable: bool = False
    optional_group: bool = False
    steps: int = 0
    """What it costs, but for `first`."""
    first: int = 0
    """What the characters that it may begin with cost."""


@dataclass(frozen=True)
class Rule:
    """A rule as the SIP service runs it."""

    match_exp: str
    repl_exp: str
    steps: int

    @property
    def text(self) -> str:
        """Both expressions, as they stand in a list."""
        return f"{self.match_exp}/{self.repl_exp}"


def check_list(rules: Sequence[Rule]) -> None:
    """Check what all rules of a list cost together.

    Raises:
        RuleError: naming the cost and what it may be.
    """
    steps = sum(rule.steps for rule in rules)
    if steps > MAX_LIST_STEPS:
        raise RuleError(
            f"the rules take {steps} steps together, at most {MAX_LIST_STEPS} are allowed: {_COUNTED}"
        )


def translate(match_exp: str, repl_exp: str) -> Rule:
    """Return a rule as the SIP service runs it.

    Args:
        match_exp: PCRE that is searched for in the dialled string.
        repl_exp: what takes the string's place, with `\\1` … `\\9`; empty refuses the number.

    Raises:
        RuleError: the expression is wrong, or not of the part that is supported.
    """
    for name, text in (("match_exp", match_exp), ("repl_exp", repl_exp)):
        if len(text) > MAX_LENGTH:
            raise RuleError(f"{name} is longer than {MAX_LENGTH} characters")
        if not _ALPHABET.issuperset(text) or "/" in text:
            raise RuleError(f"{name} may hold printable ASCII without `/` only")
    parser = _Parser(match_exp)
    whole = parser.whole()
    steps = whole.steps + max(0, whole.first - _FIRST_CLASS)
    if steps > MAX_STEPS:
        raise RuleError(f"match_exp takes {steps} steps, at most {MAX_STEPS} are allowed: {_COUNTED}")
    return Rule(whole.posix, _replacement(repl_exp, parser.numbers), steps)


def _replacement(text: str, numbers: list[int]) -> str:
    if "$" in text:
        raise RuleError("repl_exp: `$` is not supported; a group is written `\\1`")

    def renumbered(found: re.Match[str]) -> str:
        number = found[1]
        if not number.isdigit() or not 1 <= int(number) <= len(numbers):
            raise RuleError(f"repl_exp: match_exp has no group `\\{number}`")
        return f"\\{numbers[int(number) - 1]}"

    return re.sub(r"\\(.?)", renumbered, text)


class _Parser:
    """Recursive descent over one expression."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.groups = 0
        self.numbers: list[int] = []
        """Of each capturing group, the number it has in POSIX, where all groups capture."""

    def whole(self) -> _Piece:
        """Return the whole expression."""
        piece = self._alternatives(depth=0)
        if self.at < len(self.text):
            raise self._error("`)` closes nothing")
        return piece

    def _alternatives(self, depth: int) -> _Piece:
        branches = [self._sequence(depth)]
        while self._took("|"):
            branches.append(self._sequence(depth))
        if len(branches) == 1:
            return branches[0]
        for number, branch in enumerate(branches):
            if any(not _differ(branch, other) for other in branches[:number]):
                raise self._error("two alternatives can match the same characters")
        posix = "|".join(branch.posix for branch in branches)
        steps = sum(branch.steps for branch in branches)
        first = sum(branch.first for branch in branches)
        return _Piece(posix, _either(branches), exact=False, steps=steps, first=first)

    def _sequence(self, depth: int) -> _Piece:
        pieces: list[_Piece] = []
        begins = self.at
        while self.at < len(self.text) and self._next() not in "|)":
            pieces.append(self._piece(depth))
        if not any(piece.starts or piece.nullable for piece in pieces):
            raise self._error("an expression, a group or an alternative is empty")
        if any(piece.optional_group for piece in pieces) and not self._ended(begins):
            raise self._error("after an optional group the expression must end with `$`")
        return _joined(pieces)

    def _ended(self, begins: int) -> bool:
        return self.text[begins : self.at].endswith("$") and not self.text[: self.at].endswith("\\$")

    def _piece(self, depth: int) -> _Piece:
        letter = self._next()
        if letter in "^$":
            self.at += 1
            if self._repeat() is not None:
                raise self._error("a quantifier follows an anchor")
            return _Piece(letter)
        if letter == "(":
            return self._group(depth)
        characters, posix = self._one_of()
        steps, first = (_CLASS, _FIRST_CLASS) if posix.startswith("[") else (1, _FIRST)
        repeat = self._repeat()
        if repeat is None:
            return _Piece(posix, (characters,), steps=steps, first=first)
        least, most, quantifier = repeat
        unrolled = least + 1 if most is None else most  # as the C library does
        return _Piece(
            posix + quantifier,
            starts=(characters,) * (least or 1),
            exact=least == most,
            nullable=least == 0,
            steps=steps * unrolled + _CHOICE * (unrolled - least),
            first=first * (1 if least else unrolled),
        )

    def _group(self, depth: int) -> _Piece:
        self.at += 1
        captures = not self._took("?:")
        if self._next() == "?":
            raise self._error("look-around, names and flags are not supported")
        self.groups += 1
        if self.groups > MAX_GROUPS:
            raise self._error(f"there are more than {MAX_GROUPS} groups")
        if captures:
            self.numbers.append(self.groups)
        body = self._alternatives(depth + 1)
        if not self._took(")"):
            raise self._error("a `(` is not closed")
        repeat = self._repeat()
        posix = f"({body.posix})"
        if repeat is None:
            return replace(body, posix=posix)
        if repeat[2] != "?" or depth > 0 or body.nullable:
            raise self._error("of quantifiers a group takes only `?`, and only outside of other groups")
        return replace(
            body,
            posix=posix + "?",
            exact=False,
            nullable=True,
            optional_group=True,
            steps=body.steps + _CHOICE,
        )

    def _repeat(self) -> tuple[int, int | None, str] | None:
        """Take a quantifier: least, most (None: without end), and how POSIX writes it."""
        simple = {"?": (0, 1, "?"), "*": (0, None, "*"), "+": (1, None, "+")}.get(self._next())
        if simple:
            self.at += 1
            taken: tuple[int, int | None, str] = simple
        else:
            found = _REPEAT.match(self.text, self.at)
            if found is None:
                return None
            least = int(found[1])
            most = least if not found[2] else int(found[3]) if found[3] else None
            if max(least, most or 0) > MAX_REPEAT or most == 0 or (most or least) < least:
                raise self._error(f"a repetition is from 0 to {MAX_REPEAT}, the lesser first")
            self.at = found.end()
            taken = (least, most, found[0])
        if self._next() and self._next() in "?*+{":
            raise self._error("lazy, possessive and doubled quantifiers are not supported")
        return taken

    def _one_of(self) -> tuple[Characters, str]:
        """Take what stands for one character."""
        letter = self._next()
        self.at += 1
        if letter == ".":
            return _ALPHABET, "."
        if letter == "[":
            return self._class()
        if letter == "\\":
            characters, inside = self._escape()
            return characters, f"[{inside}]" if len(characters) > 1 else _literal(inside)
        if letter in _SPECIAL:
            raise self._error(f"`{letter}` stands where nothing is; a literal one is `\\{letter}`")
        return frozenset(letter), letter

    def _escape(self) -> tuple[Characters, str]:
        letter = self._next()
        self.at += 1
        if letter in _ESCAPED_CLASSES:
            return _ESCAPED_CLASSES[letter]
        if not letter or letter.isalnum():
            raise self._error(f"`\\{letter}` is not supported")
        return frozenset(letter), letter

    def _class(self) -> tuple[Characters, str]:
        """Take a class after its `[`; POSIX gets it spelt out, so nothing in it can mean anything else."""
        negated = self._took("^")
        members: set[str] = set()
        while self._next() != "]":
            first = self._member()
            if self._next() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                members |= self._range(first, self._member())
            else:
                members |= first
        self.at += 1
        characters = _ALPHABET - members if negated else frozenset(members)
        if not members or not characters:
            raise self._error("a class is empty")
        return characters, _bracket(members, negated)

    def _member(self) -> Characters:
        letter = self._next()
        if not letter:
            raise self._error("a `[` is not closed")
        if letter == "[":
            raise self._error("`[` within a class is written `\\[`")
        self.at += 1
        return self._escape()[0] if letter == "\\" else frozenset(letter)

    def _range(self, first: Characters, last: Characters) -> Characters:
        if len(first) > 1 or len(last) > 1 or min(first) > min(last):
            raise self._error("a range of a class runs from one character up to another")
        return frozenset(map(chr, range(ord(min(first)), ord(min(last)) + 1)))

    def _next(self) -> str:
        return self.text[self.at : self.at + 1]

    def _took(self, expected: str) -> bool:
        found = self.text.startswith(expected, self.at)
        if found:
            self.at += len(expected)
        return found

    def _error(self, reason: str) -> RuleError:
        return RuleError(f"match_exp, at character {self.at + 1}: {reason}")


def _literal(letter: str) -> str:
    return f"\\{letter}" if letter in _SPECIAL else letter


def _bracket(members: set[str], negated: bool) -> str:
    """Write a class so that POSIX reads each of its characters as itself."""
    plain = sorted(members - set("]^-"))
    runs: list[list[str]] = []
    for letter in plain:
        if runs and ord(letter) == ord(runs[-1][-1]) + 1 and letter.isalnum() and runs[-1][-1].isalnum():
            runs[-1].append(letter)
        else:
            runs.append([letter])
    body = "".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else "".join(run) for run in runs)
    if members == {"^"} and not negated:
        return "\\^"
    inside = ("]" if "]" in members else "") + body
    if not inside and not negated and "^" in members:
        return "[-^]"
    return f"[{'^' if negated else ''}{inside}{'^' if '^' in members else ''}{'-' if '-' in members else ''}]"


def _joined(pieces: list[_Piece]) -> _Piece:
    """Return a sequence as one piece: it begins with its pieces' characters up to the first that varies."""
    starts: list[Characters] = []
    exact = True
    for number, piece in enumerate(pieces):
        if exact and piece.nullable:
            starts += _first_of_rest(pieces[number:])
        elif exact:
            starts += piece.starts
        exact = exact and piece.exact
    nullable = all(piece.nullable or not piece.starts for piece in pieces)
    begins = list(_up_to_a_must(pieces))
    return _Piece(
        "".join(piece.posix for piece in pieces),
        tuple(starts),
        exact,
        nullable,
        steps=sum(piece.steps for piece in pieces),
        first=sum(piece.first for piece in begins),
    )


def _up_to_a_must(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Give the pieces up to the first that must take a character."""
    for piece in pieces:
        yield piece
        if piece.starts and not piece.nullable:
            return


def _first_of_rest(pieces: list[_Piece]) -> list[Characters]:
    """Return what the next character is among, if there must be one."""
    first: Characters = frozenset()
    for piece in _up_to_a_must(pieces):
        if piece.starts:
            first |= piece.starts[0]
            if not piece.nullable:
                return [first]
    return []


def _differ(one: _Piece, other: _Piece) -> bool:
    """Tell whether both have a place where no character suits both."""
    return any(not mine & theirs for mine, theirs in zip(one.starts, other.starts, strict=False))


def _either(branches: list[_Piece]) -> tuple[Characters, ...]:
    shared = zip(*(branch.starts for branch in branches), strict=False)
    return tuple(frozenset().union(*sets) for sets in shared)
