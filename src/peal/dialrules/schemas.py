"""Dial rules as the API shows and takes them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

MatchExp = Annotated[
    str, Meta(max_length=128, description="PCRE on the dialled string", examples=["^8(\\d+)$"])
]
ReplExp = Annotated[
    str, Meta(max_length=128, description="Replacement; empty: the number is refused", examples=["+7\\1"])
]


class DialRule(Struct):
    """One rule: what the dialled string must match, and what becomes of it."""

    match_exp: MatchExp
    repl_exp: ReplExp


class DialRules(Struct):
    """A list of rules; the first that matches wins."""

    id: int
    client_id: int
    dial_rules: list[DialRule]


Rules = Annotated[list[DialRule], Meta(max_length=100)]


class DialRulesCreate(Struct):
    """A new list."""

    dial_rules: Rules


class DialRulesChange(Struct):
    """The list that takes the place of the one before."""

    dial_rules: Rules | UnsetType = UNSET
