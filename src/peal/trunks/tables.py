"""Trunks."""

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from peal.db.metadata import Id, created_column, id_column, metadata

trunk = Table(
    "trunk",
    metadata,
    id_column(),
    Column("name", Text, nullable=False),
    Column("client_id", Id),
    Column("owner", Id, Computed("coalesce(client_id, 0)", persisted=True)),
    Column("status", String(16), nullable=False, server_default="active"),
    Column("priority", Integer, nullable=False, server_default="10"),
    Column("host", String(255), nullable=False),
    Column("port", Integer, nullable=False),
    Column("transport", String(4), nullable=False, server_default="udp"),
    Column("login", String(64)),
    Column("realm", String(255)),
    Column("ha1_md5", String(32)),
    Column("register", Boolean, nullable=False, server_default="0"),
    Column("networks", JSON, nullable=False),
    Column("number", String(32)),
    created_column(),
    Index(None, "owner", "priority", "id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    CheckConstraint("status IN ('active', 'blocked')", name="status"),
    CheckConstraint("transport IN ('udp', 'tcp', 'tls')", name="transport"),
    CheckConstraint("port BETWEEN 1 AND 65535", name="port"),
    CheckConstraint(
        "(login IS NULL) = (ha1_md5 IS NULL) AND (login IS NULL) = (realm IS NULL)", name="login"
    ),
    CheckConstraint("login IS NOT NULL OR NOT register", name="register"),
    sqlite_autoincrement=True,
)
"""A line to the outside, of one client or (null) of all. Its password is kept as HA1 for login and realm."""
