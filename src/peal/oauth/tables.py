"""Applications and their tokens; secrets and tokens as SHA-256, in hex."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from peal.db.metadata import Id, created_column, id_column, metadata

application = Table(
    "application",
    metadata,
    id_column(),
    Column("user_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("public_id", String(32), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("type", String(32), nullable=False),
    Column("access", String(16), nullable=False),
    Column("redirect_urls", Text, nullable=False, server_default=""),
    Column("rate_limit", Integer),
    Column("enabled", Boolean, nullable=False, server_default="1"),
    created_column(),
    UniqueConstraint("public_id"),
    ForeignKeyConstraint(["user_id"], ["user_account.id"], ondelete="CASCADE"),
    CheckConstraint("type IN ('trusted', 'public', 'password_credentials')", name="type"),
    CheckConstraint("access IN ('All', 'Call API')", name="access"),
    sqlite_autoincrement=True,
)

token = Table(
    "access_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("application_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("expires_at", DateTime, nullable=False),
    ForeignKeyConstraint(["application_id"], ["application.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(["user_id"], ["user_account.id"], ondelete="CASCADE"),
    Index(None, "application_id", "expires_at"),
)

rate_count = Table(
    "rate_count",
    metadata,
    Column("application_id", Id, primary_key=True),
    Column("hour", Id, primary_key=True),
    Column("used", Integer, nullable=False),
    ForeignKeyConstraint(["application_id"], ["application.id"], ondelete="CASCADE"),
)
"""Requests of an application in an hour (hours since the epoch), all workers together."""
