"""Call events as the switch has told them, and the calls that they make."""

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from peal.db.metadata import Id, metadata

_TRANSFERRED = text("transfer IS NOT NULL")

call_event = Table(
    "call_event",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("call_id", String(32), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("transfer", String(32)),
    Column("body", JSON, nullable=False),
    Index(None, "call_id", "seq"),
    Index(None, "at"),
    *(
        Index(name, column, sqlite_where=_TRANSFERRED, postgresql_where=_TRANSFERRED)
        for name, column in (("ix_call_event_transferred", "call_id"), ("ix_call_event_transfer", "transfer"))
    ),
)
"""One row per event, however often it was told; `seq` is its number within the call, from 1. The body holds
what was known of its numbers when it came. `transfer` is the call that its own came of."""

call = Table(
    "call",
    metadata,
    Column("id", String(32), nullable=False),
    Column("client_id", Id, nullable=False),
    Column("flow", String(3), nullable=False),
    Column("domain", Text, nullable=False),
    Column("init_time", DateTime, nullable=False),
    Column("bridged_time", DateTime),
    Column("hangup_time", DateTime),
    Column("from_username", Text, nullable=False),
    Column("from_screen_name", Text),
    Column("to_username", Text, nullable=False),
    Column("bridged_username", Text),
    Column("dialled", Text, nullable=False),
    Column("did_number", Text),
    Column("ani_number", Text),
    Column("extension_id", Id),
    Column("extension_number", Text, nullable=False),
    Column("extension_type", String(16)),
    Column("result", String(16)),
    Column("hangup_cause", String(32)),
    Column("hangup_disposition", String(16)),
    PrimaryKeyConstraint("id", "client_id"),
    Index(None, "client_id", "init_time", "id"),
    Index(None, "init_time"),
    Index("ix_call_open", "init_time", sqlite_where=text("hangup_time IS NULL"),
          postgresql_where=text("hangup_time IS NULL")),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
)  # fmt: skip
"""A call, accounted to main extensions; made anew from its events whenever one comes. Extensions may be
deleted, what they did stays."""

leg = Table(
    "leg",
    metadata,
    Column("call_id", String(32), nullable=False),
    Column("client_id", Id, nullable=False),
    Column("n", Integer, nullable=False),
    Column("part_id", String(32), nullable=False),
    Column("flow", String(3), nullable=False),
    Column("init_time", DateTime, nullable=False),
    Column("bridged_time", DateTime),
    Column("hangup_time", DateTime),
    Column("extension_id", Id),
    Column("extension_number", Text, nullable=False),
    Column("bundle_extension_id", Id),
    Column("bundle_info", Text),
    Column("transfer_reason", String(16)),
    Column("result", String(32)),
    Column("hangup_cause", String(32)),
    Column("hangup_disposition", String(16)),
    PrimaryKeyConstraint("call_id", "client_id", "n"),
    ForeignKeyConstraint(["call_id", "client_id"], ["call.id", "call.client_id"], ondelete="CASCADE"),
)
"""What one phone had of a call: 0 is the caller's, then the phones that rang; then those of what came of it
by transfers, `part_id` is what the switch takes for a call. `bundle_extension_id` is the
extension that `bundle_info` names."""

call_extension = Table(
    "call_extension",
    metadata,
    Column("call_id", String(32), nullable=False),
    Column("client_id", Id, nullable=False),
    Column("extension_id", Id, nullable=False),
    Column("init_time", DateTime, nullable=False),
    PrimaryKeyConstraint("call_id", "client_id", "extension_id"),
    Index(None, "extension_id", "init_time", "call_id"),
    ForeignKeyConstraint(["call_id", "client_id"], ["call.id", "call.client_id"], ondelete="CASCADE"),
)
"""Whose a call is: of all who called, were called or rang, and of their main extensions; for listings."""
