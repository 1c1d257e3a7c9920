"""Dial rule lists of a client."""

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Table, Text, UniqueConstraint

from peal.db.metadata import Id, id_column, metadata

dial_rule = Table(
    "dial_rule",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("dial_rules", JSON, nullable=False),
    Column("posix_rules", Text, nullable=False),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
"""`dial_rules` as sent; `posix_rules` the same as the SIP service runs them: `match/repl`, the rules joined
by `/`, which no expression may hold."""
