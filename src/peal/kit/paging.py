"""Pages of a listing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """One page: `page` from 1, `per_page` rows, `descending` by id or not."""

    page: int = 1
    per_page: int = 50
    descending: bool = True

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.per_page
