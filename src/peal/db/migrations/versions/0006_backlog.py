"""What waits is read from an index page by page: a page of a long backlog cost as much as all of it"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WAITING = sa.text("state = 'waiting'")
FRESH = sa.text("state = 'waiting' AND attempts = 0")
AGAIN = sa.text("state = 'waiting' AND attempts > 0")


def upgrade() -> None:
    op.drop_index("ix_delivery_due", "delivery")
    for name, column, which in (("fresh", "id", FRESH), ("again", "due_at", AGAIN)):
        op.create_index(
            f"ix_delivery_{name}",
            "delivery",
            ["subscriber_id", column],
            sqlite_where=which,
            postgresql_where=which,
        )
    op.drop_index("ix_delivery_order", "delivery")
    op.create_index(
        "ix_delivery_order",
        "delivery",
        ["topic", "subscriber_id", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
