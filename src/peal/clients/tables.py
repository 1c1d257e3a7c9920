"""Clients: the tenants."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from peal.db.metadata import Id, created_column, id_column, metadata

client = Table(
    "client",
    metadata,
    id_column(),
    Column("own_id", Id, Computed("id", persisted=True)),
    Column("name", Text, nullable=False),
    Column("type", String(1), nullable=False, server_default="J"),
    Column("prefix", String(32), nullable=False),
    Column("domain", String(255), nullable=False),
    Column("domain_prefix", String(32)),
    Column("extension_len", Integer, nullable=False, server_default="3"),
    Column("status", String(16), nullable=False, server_default="active"),
    created_column(),
    Column("email", Text),
    Column("timezone", String(64), nullable=False, server_default="Europe/Moscow"),
    Column("language", String(16)),
    Column("hold_music", Id),
    Column("dial_rule_id", Id),
    Column("international_prefix", String(8), nullable=False, server_default="00"),
    Column("geo_list", Text),
    Column("record_format", String(8), nullable=False, server_default="mp3"),
    Column("record_stereo", Boolean, nullable=False, server_default="0"),
    Column("sip_network_permission_id", Id),
    Column("reg_status_log", Boolean, nullable=False, server_default="0"),
    Column("extra_params", Text),
    UniqueConstraint("domain", "prefix"),
    # What a client names is its own. Added later: those tables name the client, too. And `own_id`
    # beside `id`: SQLite numbers no key that is a foreign one.
    *(
        ForeignKeyConstraint([name, "own_id"], [f"{named}.id", f"{named}.client_id"], use_alter=True)
        for name, named in (
            ("hold_music", "sound"),
            ("dial_rule_id", "dial_rule"),
            ("sip_network_permission_id", "sip_network_permission"),
        )
    ),
    CheckConstraint("extension_len BETWEEN 2 AND 4", name="extension_len"),
    CheckConstraint("status IN ('active', 'blocked')", name="status"),
    sqlite_autoincrement=True,
)
