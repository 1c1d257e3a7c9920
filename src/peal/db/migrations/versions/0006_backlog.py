"""Deliveries that wait are read in the order of their ids: a page of a backlog cost as much as all of it"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.drop_index("ix_delivery_due", "delivery")
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["subscriber_id", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
