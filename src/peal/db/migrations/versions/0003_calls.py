"""What happened: calls, their legs, and whose they are"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _call()
    _leg()
    _call_extension()


def _call() -> None:
    is_open = sa.text("hangup_time IS NULL")
    op.create_table(
        "call",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("flow", sa.String(length=3), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("init_time", sa.DateTime(), nullable=False),
        sa.Column("bridged_time", sa.DateTime(), nullable=True),
        sa.Column("hangup_time", sa.DateTime(), nullable=True),
        sa.Column("from_username", sa.Text(), nullable=False),
        sa.Column("from_screen_name", sa.Text(), nullable=True),
        sa.Column("to_username", sa.Text(), nullable=False),
        sa.Column("bridged_username", sa.Text(), nullable=True),
        sa.Column("dialled", sa.Text(), nullable=False),
        sa.Column("did_number", sa.Text(), nullable=True),
        sa.Column("ani_number", sa.Text(), nullable=True),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("extension_number", sa.Text(), nullable=False),
        sa.Column("extension_type", sa.String(length=16), nullable=True),
        sa.Column("result", sa.String(length=16), nullable=True),
        sa.Column("hangup_cause", sa.String(length=32), nullable=True),
        sa.Column("hangup_disposition", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_call_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", "client_id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_client_id_init_time_id"), "call", ["client_id", "init_time", "id"])
    op.create_index(op.f("ix_call_init_time"), "call", ["init_time"])
    op.create_index("ix_call_open", "call", ["init_time"], sqlite_where=is_open, postgresql_where=is_open)


def _leg() -> None:
    op.create_table(
        "leg",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.String(length=32), nullable=False),
        sa.Column("flow", sa.String(length=3), nullable=False),
        sa.Column("init_time", sa.DateTime(), nullable=False),
        sa.Column("bridged_time", sa.DateTime(), nullable=True),
        sa.Column("hangup_time", sa.DateTime(), nullable=True),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("extension_number", sa.Text(), nullable=False),
        sa.Column("bundle_extension_id", Id, nullable=True),
        sa.Column("bundle_info", sa.Text(), nullable=True),
        sa.Column("transfer_reason", sa.String(length=16), nullable=True),
        sa.Column("result", sa.String(length=32), nullable=True),
        sa.Column("hangup_cause", sa.String(length=32), nullable=True),
        sa.Column("hangup_disposition", sa.String(length=16), nullable=True),
        *_of_a_call("leg"),
        sa.PrimaryKeyConstraint("call_id", "client_id", "n", name=op.f("pk_leg")),
    )


def _call_extension() -> None:
    op.create_table(
        "call_extension",
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("extension_id", Id, nullable=False),
        sa.Column("init_time", sa.DateTime(), nullable=False),
        *_of_a_call("call_extension"),
        sa.PrimaryKeyConstraint("call_id", "client_id", "extension_id", name=op.f("pk_call_extension")),
    )
    op.create_index(
        op.f("ix_call_extension_extension_id_init_time_call_id"),
        "call_extension",
        ["extension_id", "init_time", "call_id"],
    )


def _of_a_call(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            ["call_id", "client_id"],
            ["call.id", "call.client_id"],
            name=op.f(f"fk_{table}_call_id_client_id"),
            ondelete="CASCADE",
        )
    ]
