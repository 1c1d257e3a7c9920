"""The switch: its views of the routing, registrations to drop, call events; outside numbers and lines"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


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
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("transfer", sa.String(length=32), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_event")),
    )
    op.create_index(op.f("ix_call_event_call_id_seq"), "call_event", ["call_id", "seq"])
    op.create_index(op.f("ix_call_event_at"), "call_event", ["at"])
    transferred = sa.text("transfer IS NOT NULL")
    for name, column in (("transferred", "call_id"), ("transfer", "transfer")):
        op.create_index(
            f"ix_call_event_{name}",
            "call_event",
            [column],
            sqlite_where=transferred,
            postgresql_where=transferred,
        )
    _numbers()
    _trunks()
    dialect = op.get_bind().dialect.name
    op.execute(sip_route(dialect))
    for view in outside_views(dialect):
        op.execute(view)


def _numbers() -> None:
    op.create_table(
        "did",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("allow_message", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("message_extension_id", Id, nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "client_id IS NOT NULL OR (extension_id IS NULL AND message_extension_id IS NULL)",
            name=op.f("ck_did_bound"),
        ),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name=op.f("fk_did_client_id")),
        *(
            sa.ForeignKeyConstraint(
                [name, "client_id"],
                ["extension.id", "extension.client_id"],
                name=op.f(f"fk_did_{name}_client_id"),
            )
            for name in ("extension_id", "message_extension_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_did")),
        sa.UniqueConstraint("name", name=op.f("uq_did_name")),
        sa.UniqueConstraint("id", "client_id", "name", name=op.f("uq_did_id_client_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_did_client_id_id"), "did", ["client_id", "id"])
    op.create_index(op.f("ix_did_extension_id"), "did", ["extension_id"])
    op.create_index(op.f("ix_did_message_extension_id"), "did", ["message_extension_id"])
    op.create_table(
        "ani",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("did_id", Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_ani_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["extension_id", "client_id"],
            ["extension.id", "extension.client_id"],
            name=op.f("fk_ani_extension_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["did_id", "client_id", "number"],
            ["did.id", "did.client_id", "did.name"],
            name=op.f("fk_ani_did_id_client_id_number"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ani")),
        sa.UniqueConstraint("extension_id", name=op.f("uq_ani_extension_id")),
        sqlite_autoincrement=True,
    )
    of_client = sa.text("extension_id IS NULL")
    op.create_index(
        "uq_ani_of_client",
        "ani",
        ["client_id"],
        unique=True,
        sqlite_where=of_client,
        postgresql_where=of_client,
    )
    op.create_index(op.f("ix_ani_did_id"), "ani", ["did_id"])


def _trunks() -> None:
    op.create_table(
        "trunk",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("owner", Id, sa.Computed("coalesce(client_id, 0)", persisted=True)),
        sa.Column("status", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="10", nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("transport", sa.String(length=4), server_default="udp", nullable=False),
        sa.Column("login", sa.String(length=64), nullable=True),
        sa.Column("realm", sa.String(length=255), nullable=True),
        sa.Column("ha1_md5", sa.String(length=32), nullable=True),
        sa.Column("register", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=True),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_trunk_status")),
        sa.CheckConstraint("transport IN ('udp', 'tcp', 'tls')", name=op.f("ck_trunk_transport")),
        sa.CheckConstraint("port BETWEEN 1 AND 65535", name=op.f("ck_trunk_port")),
        sa.CheckConstraint(
            "(login IS NULL) = (ha1_md5 IS NULL) AND (login IS NULL) = (realm IS NULL)",
            name=op.f("ck_trunk_login"),
        ),
        sa.CheckConstraint("login IS NOT NULL OR NOT register", name=op.f("ck_trunk_register")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_trunk_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trunk")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_trunk_owner_priority_id"), "trunk", ["owner", "priority", "id"])


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
        "COALESCE((SELECT a.number FROM ani a WHERE a.extension_id = e.id), '-')",
        "COALESCE((SELECT a.number FROM ani a WHERE a.extension_id = m.id), '-')",
        "COALESCE(CAST(b.dial_rule_id AS TEXT), '-')",
        "COALESCE(CAST(b.dial_rule_limit AS TEXT), '-')",
        _networks(dialect),
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


def outside_views(dialect: str) -> list[str]:
    """Return the statements of the views that calls from and to the outside need; fields: rows.cfg."""
    return [
        """
        CREATE VIEW sip_did AS
        SELECT d.name AS name, CAST(COALESCE(d.client_id, 0) AS TEXT)
            || '|' || COALESCE(c.prefix || '*' || e.number, '-') || '|' || COALESCE(c.domain, '-') AS val
        FROM did d
        LEFT JOIN client c ON c.id = d.client_id
        LEFT JOIN extension e ON e.id = d.extension_id
        """,
        "CREATE VIEW sip_rules AS SELECT id, posix_rules AS val FROM dial_rule",
        f"""
        CREATE VIEW sip_client AS
        SELECT c.id AS client_id,
            COALESCE((SELECT a.number FROM ani a WHERE a.client_id = c.id AND a.extension_id IS NULL), '-')
            || '|' || COALESCE(CAST(c.dial_rule_id AS TEXT), '-')
            || '|' || {_trunks_of("c.id", dialect)} AS val
        FROM client c
        """,  # noqa: S608 - nothing of it comes from outside
        f"CREATE VIEW sip_common AS SELECT '-|-|' || {_trunks_of('0', dialect)} AS val",
        """
        CREATE VIEW sip_trunk AS
        SELECT id, owner, CAST(networks AS TEXT) AS networks, host, port, transport, login, realm, ha1_md5,
            CASE WHEN register THEN 1 ELSE 0 END AS registers
        FROM trunk WHERE status = 'active'
        """,
    ]


def _trunks_of(owner: str, dialect: str) -> str:
    """Say which trunks an owner has, the one to be tried first first."""
    fields = "CAST(t.id AS TEXT) || ';' || t.host || ';' || CAST(t.port AS TEXT) || ';' || t.transport"
    for name in ("login", "realm", "ha1_md5", "number"):
        fields += f" || ';' || COALESCE(t.{name}, '-')"
    theirs = f"FROM trunk t WHERE t.owner = {owner} AND t.status = 'active'"
    if dialect == "sqlite":
        ordered = f"SELECT {fields} AS one {theirs} ORDER BY t.priority, t.id"
        return f"COALESCE((SELECT group_concat(one, '/') FROM ({ordered})), '-')"  # noqa: S608 - ours
    return f"COALESCE((SELECT string_agg({fields}, '/' ORDER BY t.priority, t.id) {theirs}), '-')"


def _networks(dialect: str) -> str:
    """Say where a phone may come from: by its own permission, else by its client's."""
    aggregate, elements = (
        ("group_concat", "json_each(n.networks)")
        if dialect == "sqlite"
        else ("string_agg", "json_array_elements_text(n.networks)")
    )
    return f"""CASE WHEN COALESCE(p.auth_type, 'digest') = 'digest' THEN '' ELSE COALESCE((
        SELECT {aggregate}(network.value, ',') FROM sip_network_permission n, {elements} AS network
        WHERE n.id = COALESCE(p.sip_network_permission_id, c.sip_network_permission_id)), '') END"""  # noqa: S608 - ours
