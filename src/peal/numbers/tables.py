"""Outside numbers."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from peal.db.metadata import Id, created_column, id_column, metadata

did = Table(
    "did",
    metadata,
    id_column(),
    Column("name", String(32), nullable=False),
    Column("client_id", Id),
    Column("extension_id", Id),
    Column("allow_message", Boolean, nullable=False, server_default="0"),
    Column("message_extension_id", Id),
    Column("comment", Text),
    created_column(),
    UniqueConstraint("name"),
    UniqueConstraint("id", "client_id", "name"),
    Index(None, "client_id", "id"),
    Index(None, "extension_id"),
    Index(None, "message_extension_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"]),
    ForeignKeyConstraint(["extension_id", "client_id"], ["extension.id", "extension.client_id"]),
    ForeignKeyConstraint(["message_extension_id", "client_id"], ["extension.id", "extension.client_id"]),
    CheckConstraint(
        "client_id IS NOT NULL OR (extension_id IS NULL AND message_extension_id IS NULL)", name="bound"
    ),
    sqlite_autoincrement=True,
)
"""A number that reaches us: of nobody, given to a client, bound to one of its extensions."""

ani = Table(
    "ani",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("extension_id", Id),
    Column("number", String(32), nullable=False),
    Column("did_id", Id),
    UniqueConstraint("extension_id"),
    Index("uq_ani_of_client", "client_id", unique=True, sqlite_where=text("extension_id IS NULL"),
          postgresql_where=text("extension_id IS NULL")),
    Index(None, "did_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["extension_id", "client_id"], ["extension.id", "extension.client_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["did_id", "client_id", "number"], ["did.id", "did.client_id", "did.name"]),
    sqlite_autoincrement=True,
)  # fmt: skip
"""The number that calls to the outside show: of an extension, or (null) of the whole client. It is a DID of
that client; where `did_id` is null an administrator has allowed it."""
