"""Phones: what a `phone` extension has beyond its synchronised fields."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKeyConstraint, String, Table, Text

from peal.db.metadata import Id, metadata

phone = Table(
    "phone",
    metadata,
    Column("extension_id", Id, primary_key=True, autoincrement=False),
    Column("client_id", Id, nullable=False),
    Column("label", Text),
    Column("ha1_md5", String(32)),
    Column("ha1_sha256", String(64)),
    Column("auth_type", String(16), nullable=False, server_default="digest"),
    Column("sip_network_permission_id", Id),
    Column("allow_webrtc", Boolean, nullable=False, server_default="0"),
    Column("call_screening_enabled", Boolean, nullable=False, server_default="0"),
    Column("append_to_cid_name_on_transfer", Text),
    ForeignKeyConstraint(
        ["extension_id", "client_id"], ["extension.id", "extension.client_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["sip_network_permission_id", "client_id"],
        ["sip_network_permission.id", "sip_network_permission.client_id"],
    ),
    CheckConstraint("auth_type IN ('digest', 'network', 'both')", name="auth_type"),
)
"""The SIP password is kept as HA1 (RFC 8760), MD5 and SHA-256, hex; never in clear."""
