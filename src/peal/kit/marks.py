"""Marks of fields: whether this version does what a field says, or only keeps it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Marked:
    """A field's meaning in words; `acts`: this version does what it says."""

    meaning: str
    acts: bool = False

    @property
    def mark(self) -> str:
        """The mark as the docs show it."""
        return "acts" if self.acts else "stored only"


def acts(meaning: str) -> Marked:
    """Mark a field that this version obeys."""
    return Marked(meaning, acts=True)


def stored(meaning: str) -> Marked:
    """Mark a field that is kept, shown and synchronised, and does nothing else yet."""
    return Marked(meaning)
