"""Outside numbers, pure: one way to write them."""


def canonical(number: str) -> str:
    """Return the number as it is kept, and as calls show it: its digits, without the plus."""
    return number.removeprefix("+")
