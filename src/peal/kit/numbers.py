"""Names of extensions: `0003*100` in full, `100` in short."""

from typing import Any


def full_name(prefix: Any, number: Any) -> Any:
    """Return the full name, as answers show it; of two SQL columns, the expression for it."""
    return prefix + "*" + number


def short_number(name: str, prefix: str) -> str:
    """Return the number without its client prefix; another client's prefix stays."""
    return name.removeprefix(f"{prefix}*")
