"""SIP network permissions: the networks that a phone may come from."""

from sqlalchemy import JSON, Column, ForeignKeyConstraint, Table, Text, UniqueConstraint

from peal.db.metadata import Id, id_column, metadata

sip_network_permission = Table(
    "sip_network_permission",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("name", Text, nullable=False),
    Column("networks", JSON, nullable=False),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
