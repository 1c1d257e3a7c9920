"""Names of extensions: `0003*100` in full, `100` in short."""


def full_name(prefix: str, number: str) -> str:
    """Return the full name, as answers show it."""
    return f"{prefix}*{number}"


def short_number(name: str, prefix: str) -> str:
    """Return the number without its client prefix; another client's prefix stays."""
    return name.removeprefix(f"{prefix}*")
