"""The switch: its view of the routing, registrations to drop, call events"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column(
        "change_log", sa.Column("drop_registration", sa.Boolean(), nullable=False, server_default="0")
    )
    op.create_index(op.f("ix_change_log_xid_seq"), "change_log", ["xid", "seq"])
    op.create_table(
        "call_event",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_event")),
    )
    op.create_index(op.f("ix_call_event_call_id_seq"), "call_event", ["call_id", "seq"])
    op.execute(sip_route(op.get_bind().dialect.name))


def sip_route(dialect: str) -> str:
    """Return the statement of the view: what the fields of `val` are stands in switch/config/rows.cfg."""
    if dialect == "sqlite":
        members = "SELECT group_concat(number, ',') FROM (SELECT r.number FROM extension r"
        members += " WHERE r.bundle_id = e.id ORDER BY r.position)"
    else:
        members = (
            "SELECT string_agg(r.number, ',' ORDER BY r.position) FROM extension r WHERE r.bundle_id = e.id"
        )
    fields = [
        "CASE WHEN c.status = 'active' THEN b.status ELSE 'blocked' END",
        "COALESCE(p.ha1_md5, '-')",
        "CAST(e.id AS TEXT)",
        "CAST(e.bundle_id AS TEXT)",
        "c.prefix || '*' || m.number",
        f"CASE WHEN e.position = 0 THEN ({members}) ELSE e.number END",
        "CAST(COALESCE(b.incoming_limit, 0) AS TEXT)",
        "CAST(c.id AS TEXT)",
        "e.type",
        "COALESCE(p.auth_type, 'digest')",
        "CAST(c.extension_len AS TEXT)",
        _name("e.caller_id_name", "p.label", "e.label", "e.number"),
        _name("m.caller_id_name", "mp.label", "m.label", "m.number"),
    ]
    return f"""
        CREATE VIEW sip_route AS
        SELECT e.id AS extension_id, c.prefix AS prefix, e.number AS number, c.domain AS domain,
            {" || '|' || ".join(fields)} AS val
        FROM extension e
        JOIN client c ON c.id = e.client_id
        JOIN bundle b ON b.id = e.bundle_id
        JOIN extension m ON m.id = e.bundle_id
        LEFT JOIN phone p ON p.extension_id = e.id
        LEFT JOIN phone mp ON mp.extension_id = m.id
        """  # noqa: S608 - nothing of it comes from outside


def _name(*columns: str) -> str:
    """Say what a terminal is shown, without what would end a quoted string or a field."""
    name = f"COALESCE({', '.join(columns)})"
    for bad, good in (("|", "/"), ('"', "''"), ("\\", "/")):
        name = f"REPLACE({name}, '{bad}', '{good}')"
    return name
