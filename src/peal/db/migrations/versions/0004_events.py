"""Events: subscriptions, what is told, and the outbox"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HELD = sa.text("held_until IS NOT NULL")
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    _notice()
    _subscriber()
    _subscription()
    _delivery()
    _attempt()


def _notice() -> None:
    op.create_table(
        "notice",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("xid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("extension_id", Id, nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("flow", sa.String(length=3), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("held_until", sa.DateTime(), nullable=True),
        sa.Column("told_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_notice_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "call_id",
            "extension_id",
            "event_type",
            "flow",
            name=op.f("uq_notice_call_id_extension_id_event_type_flow"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_notice_client_id_xid_id"), "notice", ["client_id", "xid", "id"])
    op.create_index("ix_notice_held", "notice", ["call_id"], sqlite_where=HELD, postgresql_where=HELD)


def _subscriber() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(), nullable=True),
        sa.Column("claimed_until", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_subscriber_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriber")),
        sa.UniqueConstraint("client_id", "url", name=op.f("uq_subscriber_client_id_url")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_subscriber_id_client_id")),
        sqlite_autoincrement=True,
    )


def _subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("event_type", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=4), nullable=False),
        sa.Column("status", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("old_secret", sa.String(length=64), nullable=True),
        sa.Column("old_secret_until", sa.DateTime(), nullable=True),
        sa.Column("create_dt", sa.DateTime(), nullable=False),
        sa.CheckConstraint("method IN ('GET', 'POST')", name=op.f("ck_subscription_method")),
        sa.CheckConstraint("status IN ('active', 'disabled')", name=op.f("ck_subscription_status")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_subscription_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["extension_id", "client_id"],
            ["extension.id", "extension.client_id"],
            name=op.f("fk_subscription_extension_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["subscriber_id", "client_id"],
            ["subscriber.id", "subscriber.client_id"],
            name=op.f("fk_subscription_subscriber_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_subscription_id_client_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_subscription_client_id_extension_id_event_type"),
        "subscription",
        ["client_id", "extension_id", "event_type"],
    )
    op.create_index(op.f("ix_subscription_subscriber_id"), "subscription", ["subscriber_id"])


def _delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("subscription_id", Id, nullable=False),
        sa.Column("subscriber_id", Id, nullable=False),
        sa.Column("notice_id", Id, nullable=False),
        sa.Column("topic", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("waits_since", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("done_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'parked')", name=op.f("ck_delivery_state")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id", "client_id"],
            ["subscription.id", "subscription.client_id"],
            name=op.f("fk_delivery_subscription_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_age", "delivery", ["waits_since"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_index(
        "ix_delivery_due",
        "delivery",
        ["subscriber_id", "due_at"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(op.f("ix_delivery_notice_id"), "delivery", ["notice_id"])
    op.create_index(
        "ix_delivery_order",
        "delivery",
        ["subscriber_id", "topic", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(op.f("ix_delivery_subscription_id_id"), "delivery", ["subscription_id", "id"])


def _attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_attempt_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempt_delivery_id_id"), "attempt", ["delivery_id", "id"])
