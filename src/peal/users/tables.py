"""People (and programs) that use the API: administrators, a client's users, an extension's users."""

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, String, Table, Text, UniqueConstraint

from peal.db.metadata import Id, created_column, id_column, metadata

user = Table(
    "user_account",
    metadata,
    id_column(),
    Column("login", String(128), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("role", String(16), nullable=False),
    Column("client_id", Id),
    Column("extension_id", Id),
    Column("status", String(16), nullable=False, server_default="active"),
    Column("access", String(16), nullable=False, server_default="full"),
    Column("timezone", String(64), nullable=False, server_default="Europe/Moscow"),
    Column("comment", Text),
    Column("extra_params", Text),
    created_column(),
    UniqueConstraint("login"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["extension_id", "client_id"], ["extension.id", "extension.client_id"], ondelete="CASCADE"
    ),
    CheckConstraint("role IN ('admin', 'client', 'extension')", name="role"),
    CheckConstraint("(role = 'admin') = (client_id IS NULL)", name="client"),
    CheckConstraint("(role = 'extension') = (extension_id IS NOT NULL)", name="extension"),
    CheckConstraint("status IN ('active', 'blocked')", name="status"),
    CheckConstraint("access IN ('full', 'read_only')", name="access"),
    sqlite_autoincrement=True,
)
