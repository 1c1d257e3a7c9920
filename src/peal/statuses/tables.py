"""Call statuses: which calls a phone takes part in."""

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Table, Text, UniqueConstraint

from peal.db.metadata import Id, created_column, id_column, metadata

call_status = Table(
    "call_status",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("property_list", JSON, nullable=False),
    created_column("create_dt"),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
