"""Bundles: the row that all members share.

Every extension points to exactly one row. One that points to its own is a main extension, or stands
alone, which is a bundle of one; the others are associated. What the contract demands is thus held by
keys alone: a value of a synchronised field exists once, nobody is in two bundles, a main extension is
associated with nobody, and no bundle crosses a client.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from peal.bundles.fields import SYNCHRONISED
from peal.db.metadata import Id, id_column, metadata

bundle = Table(
    "bundle",
    metadata,
    id_column(),
    Column("main_id", Id, Computed("id", persisted=True)),
    Column("client_id", Id, nullable=False),
    Column("type", String(16), nullable=False),
    *(field.column() for field in SYNCHRONISED),
    UniqueConstraint("id", "client_id", "type"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    # The main extension belongs to its own bundle. Deferred: bundle and extension name each other.
    ForeignKeyConstraint(
        ["main_id", "main_id"],
        ["extension.id", "extension.bundle_id"],
        name="fk_bundle_main",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,  # and `main_id` beside `id`: SQLite numbers no key that is a foreign one
    ),
    ForeignKeyConstraint(["dial_rule_id", "client_id"], ["dial_rule.id", "dial_rule.client_id"]),
    ForeignKeyConstraint(["call_status_id", "client_id"], ["call_status.id", "call_status.client_id"]),
    *(
        ForeignKeyConstraint([name, "client_id"], ["sound.id", "sound.client_id"])
        for name in (
            "ringback_sound",
            "hold_music",
            "announce_sound_upon_outgoing_call",
            "announce_sound_upon_incoming_call",
        )
    ),
    CheckConstraint("status IN ('active', 'blocked')", name="status"),
    CheckConstraint("record_format IN ('mp3', 'wav')", name="record_format"),
    sqlite_autoincrement=True,
)
