"""What waits is read from an index page by page: a page of a long backlog cost as much as all of it"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WAITING = "state = 'waiting'"
INDEXES = (
    ("fresh", ["subscriber_id", "id"], f"{WAITING} AND attempts = 0"),
    ("again", ["subscriber_id", "due_at"], f"{WAITING} AND attempts > 0"),
    ("order", ["topic", "subscriber_id", "id"], WAITING),
)


def upgrade() -> None:
    for name in ("due", "order"):
        op.drop_index(f"ix_delivery_{name}", "delivery")
    for name, columns, which in INDEXES:
        waiting = sa.text(which)
        op.create_index(
            f"ix_delivery_{name}", "delivery", columns, sqlite_where=waiting, postgresql_where=waiting
        )
