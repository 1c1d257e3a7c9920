"""What is told, who wants to hear it, and what has become of it."""

from sqlalchemy import (
    JSON,
    BigInteger,
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
    text,
)

from peal.db.metadata import Id, created_column, id_column, metadata

_HELD = text("held_until IS NOT NULL")

notice = Table(
    "notice",
    metadata,
    id_column(),
    Column("xid", BigInteger, nullable=False, server_default="0"),
    Column("client_id", Id, nullable=False),
    Column("extension_id", Id, nullable=False),
    Column("call_id", String(32)),
    Column("seq", Integer, nullable=False),
    Column("event_type", String(32), nullable=False),
    Column("flow", String(3)),
    Column("parameters", JSON, nullable=False),
    Column("held_until", DateTime),
    created_column("told_at"),
    UniqueConstraint("call_id", "extension_id", "event_type", "flow"),
    Index(None, "client_id", "xid", "id"),
    Index("ix_notice_held", "call_id", sqlite_where=_HELD, postgresql_where=_HELD),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
"""The log that the stream and subscribers read: each event of a call once for each extension that it is of; a
change of a call status (no call, no flow) each time. `parameters` are what is sent, in their order. `xid` is
the transaction that wrote the row: on PostgreSQL readers go by (`xid`, `id`) and stop at
`pg_snapshot_xmin(pg_current_snapshot())`; on SQLite it is 0. Where an earlier event is missing, nobody is
told before `held_until`."""

subscriber = Table(
    "subscriber",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("url", Text, nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("paused_until", DateTime),
    Column("claimed_until", DateTime),
    UniqueConstraint("client_id", "url"),
    UniqueConstraint("id", "client_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
"""A URL of a client's: the unit of order, of pauses and of delivering. `failures`: rounds in a row in which
it took nothing. One deliverer has it until `claimed_until`."""

subscription = Table(
    "subscription",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("extension_id", Id),
    Column("subscriber_id", Id, nullable=False),
    Column("event_type", String(32), nullable=False),
    Column("method", String(4), nullable=False),
    Column("status", String(16), nullable=False, server_default="active"),
    Column("secret", String(64), nullable=False),
    Column("old_secret", String(64)),
    Column("old_secret_until", DateTime),
    created_column("create_dt"),
    UniqueConstraint("id", "client_id"),
    Index(None, "client_id", "extension_id", "event_type"),
    Index(None, "subscriber_id"),
    ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["extension_id", "client_id"], ["extension.id", "extension.client_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["subscriber_id", "client_id"], ["subscriber.id", "subscriber.client_id"]),
    CheckConstraint("method IN ('GET', 'POST')", name="method"),
    CheckConstraint("status IN ('active', 'disabled')", name="status"),
    sqlite_autoincrement=True,
)
"""Who wants to hear what; without an extension: of all of the client's. Secrets sign: they are in clear."""

delivery = Table(
    "delivery",
    metadata,
    id_column(),
    Column("client_id", Id, nullable=False),
    Column("subscription_id", Id, nullable=False),
    Column("subscriber_id", Id, nullable=False),
    Column("notice_id", Id, nullable=False),
    Column("topic", String(48), nullable=False),
    Column("state", String(16), nullable=False, server_default="waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("waits_since", DateTime, nullable=False),
    Column("due_at", DateTime, nullable=False),
    Column("done_at", DateTime),
    Index(None, "subscription_id", "id"),
    Index(None, "notice_id"),
    *(
        Index(f"ix_delivery_{name}", *columns, sqlite_where=text(which), postgresql_where=text(which))
        for name, columns, which in (
            ("fresh", ("subscriber_id", "id"), "state = 'waiting' AND attempts = 0"),
            ("again", ("subscriber_id", "due_at"), "state = 'waiting' AND attempts > 0"),
            ("order", ("topic", "subscriber_id", "id"), "state = 'waiting'"),
            ("age", ("waits_since",), "state = 'waiting'"),
        )
    ),
    ForeignKeyConstraint(
        ["subscription_id", "client_id"], ["subscription.id", "subscription.client_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(["notice_id"], ["notice.id"], ondelete="CASCADE"),
    CheckConstraint("state IN ('waiting', 'delivered', 'parked')", name="state"),
    sqlite_autoincrement=True,
)
"""The outbox: a notice on its way to a subscription. What has the same `topic` (a call, or the call status of
an extension) goes to a subscriber in the order of `id`."""

attempt = Table(
    "attempt",
    metadata,
    id_column(),
    Column("delivery_id", Id, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("milliseconds", Integer, nullable=False),
    Column("status", Integer),
    Column("error", Text),
    Index(None, "delivery_id", "id"),
    ForeignKeyConstraint(["delivery_id"], ["delivery.id"], ondelete="CASCADE"),
    sqlite_autoincrement=True,
)
"""A request that was made: what was answered, or why nothing was."""
