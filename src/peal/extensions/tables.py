"""Extensions. Their synchronised fields stand in the bundle's row, see `peal.bundles.tables`."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from peal.db.metadata import Id, created_column, metadata

extension = Table(
    "extension",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("bundle_id", Id, nullable=False),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("number", String(4), nullable=False),
    Column("type", String(16), nullable=False),
    Column("label", Text),
    Column("caller_id_name", Text),
    Column("did_as_transfer_caller_id", String(16)),
    Column("ani_rfc3325", Boolean, nullable=False, server_default="0"),
    Column("message_did", Text),
    Column("extra_params", Text),
    created_column(),
    UniqueConstraint("client_id", "number"),
    UniqueConstraint("id", "client_id"),
    UniqueConstraint("id", "bundle_id"),
    Index(None, "bundle_id", "position"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["bundle_id", "client_id", "type"], ["bundle.id", "bundle.client_id", "bundle.type"]
    ),
    CheckConstraint("type IN ('phone', 'queue', 'ivr', 'fax', 'conference')", name="type"),
    CheckConstraint("bundle_id = id OR type = 'phone'", name="only_phones_in_bundles"),
    CheckConstraint("(bundle_id = id) = (position = 0)", name="position"),
)
"""The id is that of the bundle row made with the extension: ids come from one sequence."""
