"""Who changed what, and what the switch must read again."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    String,
    Table,
    Text,
    literal_column,
)

from peal.db.metadata import Id, created_column, id_column, metadata

audit = Table(
    "audit",
    metadata,
    id_column(),
    created_column("at"),
    Column("client_id", Id),
    Column("user_id", Id),
    Column("application_id", Id),
    Column("request_id", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object_id", Id, nullable=False),
    Column("old", JSON),
    Column("new", JSON),
    Index(None, "client_id", "id"),
    sqlite_autoincrement=True,
)

change_log = Table(
    "change_log",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=True),
    Column("xid", BigInteger),
    Column("kind", String(16), nullable=False, server_default="extension"),
    Column("client_id", Id),
    Column("extension_id", Id),
    Column("number", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Index(None, "xid", "seq"),
    sqlite_autoincrement=True,
)
"""One row per extension whose routing changes, and per thing of another `kind`, whose name is `number` (see
`peal.audit.changes`). Readers on PostgreSQL must stop at
`pg_snapshot_xmin(pg_current_snapshot())`: a row with a lower `seq` may be committed later; `xid`
is the transaction that wrote it. SQLite has one writer, there `xid` is null."""

CURRENT_XID: ColumnElement[int] = literal_column("pg_current_xact_id()::text::bigint")
"""The transaction at hand, on PostgreSQL."""
