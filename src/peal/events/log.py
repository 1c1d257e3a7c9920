"""Reading the log of notices in its order, without ever passing by one that is committed later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, func, literal_column, select, tuple_

from peal.db.work import Work
from peal.events.tables import notice
from peal.kit import dates

MOST = 500
"""Notices that are read at a time."""
_XMIN: ColumnElement[int] = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


@dataclass(frozen=True)
class Position:
    """A place in the log: of everything up to it its reader has been told."""

    xid: int
    id: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the position that `text` writes.

        Raises:
            ValueError: it is none.
        """
        xid, _, notice_id = text.partition("-")
        if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (xid, notice_id)):
            raise ValueError(f"{text!r} is no position of a stream")
        return cls(int(xid), int(notice_id))

    def __str__(self) -> str:
        return f"{self.xid}-{self.id}"


@dataclass(frozen=True)
class Entry:
    """A notice, and the position of a reader who has it."""

    position: Position
    event_type: str
    parameters: dict[str, str]


async def end(work: Work) -> Position:
    """Return the position of a reader who wants to hear only what comes."""
    if work.on_postgresql:
        return Position((await work.execute(select(_XMIN))).scalar_one(), 0)
    return Position(0, (await work.execute(select(func.coalesce(func.max(notice.c.id), 0)))).scalar_one())


async def after(work: Work, client_id: int, position: Position) -> Sequence[Entry]:
    """Return the next notices of a client.

    On PostgreSQL they go by transaction, and end before the oldest that is still open: what that commits
    comes after all that is returned. They also end before one that is held back: what it waits for is first.
    """
    query = (
        select(notice)
        .where(
            notice.c.client_id == client_id,
            tuple_(notice.c.xid, notice.c.id) > tuple_(position.xid, position.id),
        )
        .order_by(notice.c.xid, notice.c.id)
        .limit(MOST)
    )
    if work.on_postgresql:
        query = query.where(notice.c.xid < _XMIN)
    now = dates.now()
    found: list[Entry] = []
    for row in (await work.execute(query)).mappings():
        if row["held_until"] and row["held_until"] > now:
            break
        found.append(_entry(dict(row)))
    return found


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(Position(row["xid"], row["id"]), row["event_type"], row["parameters"])
