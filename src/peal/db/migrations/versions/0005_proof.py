"""Which phones a changed row drops, the switch knows by the passwords that they came with"""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_column("change_log", "drop_registration")
