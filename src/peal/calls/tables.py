"""Call events as the switch has told them."""

from sqlalchemy import JSON, Column, Index, Integer, String, Table

from peal.db.metadata import metadata

call_event = Table(
    "call_event",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("call_id", String(32), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("body", JSON, nullable=False),
    Index(None, "call_id", "seq"),
)
"""One row per event, however often it was told; `seq` is its number within the call, from 1."""
