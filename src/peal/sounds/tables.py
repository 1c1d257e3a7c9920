"""Sounds; their content lies in the database: several processes, one backup."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from peal.db.metadata import Id, created_column, id_column, metadata

sound = Table(
    "sound",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("title", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("format", String(8), nullable=False),
    Column("content", LargeBinary, nullable=False),
    created_column(),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    CheckConstraint("format IN ('wav', 'mp3')", name="format"),
    sqlite_autoincrement=True,
)
