"""The core: clients, users, applications, extensions, bundles"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CLIENT_NAMES = (
    ("hold_music", "sound"),
    ("dial_rule_id", "dial_rule"),
    ("sip_network_permission_id", "sip_network_permission"),
)


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("user_id", Id, nullable=True),
        sa.Column("application_id", Id, nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object_id", Id, nullable=False),
        sa.Column("old", sa.JSON(), nullable=True),
        sa.Column("new", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_client_id_id"), "audit", ["client_id", "id"], unique=False)
    op.create_table(
        "change_log",
        sa.Column("seq", Id, autoincrement=True, nullable=False),
        sa.Column("xid", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), server_default="extension", nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_change_log")),
        sqlite_autoincrement=True,
    )
    # Tables that name each other: SQLite takes the second key at once, PostgreSQL afterwards.
    later = op.get_bind().dialect.name != "sqlite"
    named_by_client = [
        sa.ForeignKeyConstraint(
            [name, "own_id"], [f"{named}.id", f"{named}.client_id"], name=op.f(f"fk_client_{name}_own_id")
        )
        for name, named in CLIENT_NAMES
        if not later
    ]
    op.create_table(
        "client",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("own_id", Id, sa.Computed("id", persisted=True)),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=1), server_default="J", nullable=False),
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("domain_prefix", sa.String(length=32), nullable=True),
        sa.Column("extension_len", sa.Integer(), server_default="3", nullable=False),
        sa.Column("status", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("timezone", sa.String(length=64), server_default="Europe/Moscow", nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("hold_music", Id, nullable=True),
        sa.Column("dial_rule_id", Id, nullable=True),
        sa.Column("geo_list", sa.Text(), nullable=True),
        sa.Column("record_format", sa.String(length=8), server_default="mp3", nullable=False),
        sa.Column("record_stereo", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("sip_network_permission_id", Id, nullable=True),
        sa.Column("reg_status_log", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("extra_params", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_client_status")),
        sa.CheckConstraint("extension_len BETWEEN 2 AND 4", name=op.f("ck_client_extension_len")),
        *named_by_client,
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client")),
        sa.UniqueConstraint("domain", "prefix", name=op.f("uq_client_domain_prefix")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "call_status",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("property_list", sa.JSON(), nullable=False),
        sa.Column("create_dt", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_call_status_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_status")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_call_status_id_client_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dial_rule",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("dial_rules", sa.JSON(), nullable=False),
        sa.Column("posix_rules", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_dial_rule_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dial_rule")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_dial_rule_id_client_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sip_network_permission",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("networks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_sip_network_permission_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sip_network_permission")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_sip_network_permission_id_client_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sound",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint("format IN ('wav', 'mp3')", name=op.f("ck_sound_format")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_sound_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sound")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_sound_id_client_id")),
        sqlite_autoincrement=True,
    )
    if later:
        for name, named in CLIENT_NAMES:
            op.create_foreign_key(
                op.f(f"fk_client_{name}_own_id"), "client", named, [name, "own_id"], ["id", "client_id"]
            )
    main_extension = (
        []
        if later
        else [
            sa.ForeignKeyConstraint(
                ["main_id", "main_id"],
                ["extension.id", "extension.bundle_id"],
                name="fk_bundle_main",
                initially="DEFERRED",
                deferrable=True,
            ),
        ]
    )
    op.create_table(
        "bundle",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("main_id", Id, sa.Computed("id", persisted=True)),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("dial_rule_id", Id, nullable=True),
        sa.Column("dial_rule_limit", sa.Integer(), nullable=True),
        sa.Column("record_transfer", sa.Boolean(), nullable=False),
        sa.Column("ringback_sound", Id, nullable=True),
        sa.Column("geo_list", sa.Text(), nullable=True),
        sa.Column("record_enabled", sa.Boolean(), nullable=False),
        sa.Column("hold_music", Id, nullable=True),
        sa.Column("announce_sound_upon_outgoing_call", Id, nullable=True),
        sa.Column("announce_sound_upon_incoming_call", Id, nullable=True),
        sa.Column("conference_pin", sa.Text(), nullable=True),
        sa.Column("conference_announce_caller_name", sa.Boolean(), nullable=False),
        sa.Column("conference_end_on_exit", sa.Boolean(), nullable=False),
        sa.Column("record_format", sa.String(length=8), nullable=False),
        sa.Column("record_stereo", sa.Boolean(), nullable=False),
        sa.Column("incoming_limit", sa.Integer(), nullable=True),
        sa.Column("call_status_id", Id, nullable=True),
        sa.CheckConstraint("record_format IN ('mp3', 'wav')", name=op.f("ck_bundle_record_format")),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_bundle_status")),
        sa.ForeignKeyConstraint(
            ["announce_sound_upon_incoming_call", "client_id"],
            ["sound.id", "sound.client_id"],
            name=op.f("fk_bundle_announce_sound_upon_incoming_call_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["announce_sound_upon_outgoing_call", "client_id"],
            ["sound.id", "sound.client_id"],
            name=op.f("fk_bundle_announce_sound_upon_outgoing_call_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["call_status_id", "client_id"],
            ["call_status.id", "call_status.client_id"],
            name=op.f("fk_bundle_call_status_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_bundle_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dial_rule_id", "client_id"],
            ["dial_rule.id", "dial_rule.client_id"],
            name=op.f("fk_bundle_dial_rule_id_client_id"),
        ),
        sa.ForeignKeyConstraint(
            ["hold_music", "client_id"],
            ["sound.id", "sound.client_id"],
            name=op.f("fk_bundle_hold_music_client_id"),
        ),
        *main_extension,
        sa.ForeignKeyConstraint(
            ["ringback_sound", "client_id"],
            ["sound.id", "sound.client_id"],
            name=op.f("fk_bundle_ringback_sound_client_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundle")),
        sa.UniqueConstraint("id", "client_id", "type", name=op.f("uq_bundle_id_client_id_type")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "extension",
        sa.Column("id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("bundle_id", Id, nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("number", sa.String(length=4), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("caller_id_name", sa.Text(), nullable=True),
        sa.Column("did_as_transfer_caller_id", sa.String(length=16), nullable=True),
        sa.Column("ani_rfc3325", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("message_did", sa.Text(), nullable=True),
        sa.Column("extra_params", sa.Text(), nullable=True),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "bundle_id = id OR type = 'phone'", name=op.f("ck_extension_only_phones_in_bundles")
        ),
        sa.CheckConstraint(
            "type IN ('phone', 'queue', 'ivr', 'fax', 'conference')", name=op.f("ck_extension_type")
        ),
        sa.CheckConstraint("(bundle_id = id) = (position = 0)", name=op.f("ck_extension_position")),
        sa.ForeignKeyConstraint(
            ["bundle_id", "client_id", "type"],
            ["bundle.id", "bundle.client_id", "bundle.type"],
            name=op.f("fk_extension_bundle_id_client_id_type"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_extension_client_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension")),
        sa.UniqueConstraint("client_id", "number", name=op.f("uq_extension_client_id_number")),
        sa.UniqueConstraint("id", "bundle_id", name=op.f("uq_extension_id_bundle_id")),
        sa.UniqueConstraint("id", "client_id", name=op.f("uq_extension_id_client_id")),
    )
    op.create_index(
        op.f("ix_extension_bundle_id_position"), "extension", ["bundle_id", "position"], unique=False
    )
    if later:
        op.create_foreign_key(
            "fk_bundle_main",
            "bundle",
            "extension",
            ["main_id", "main_id"],
            ["id", "bundle_id"],
            initially="DEFERRED",
            deferrable=True,
        )
    op.create_table(
        "user_account",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("login", sa.String(length=128), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("client_id", Id, nullable=True),
        sa.Column("extension_id", Id, nullable=True),
        sa.Column("status", sa.String(length=16), server_default="active", nullable=False),
        sa.Column("access", sa.String(length=16), server_default="full", nullable=False),
        sa.Column("timezone", sa.String(length=64), server_default="Europe/Moscow", nullable=False),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("extra_params", sa.Text(), nullable=True),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint("(role = 'admin') = (client_id IS NULL)", name=op.f("ck_user_account_client")),
        sa.CheckConstraint(
            "(role = 'extension') = (extension_id IS NOT NULL)", name=op.f("ck_user_account_extension")
        ),
        sa.CheckConstraint("access IN ('full', 'read_only')", name=op.f("ck_user_account_access")),
        sa.CheckConstraint("role IN ('admin', 'client', 'extension')", name=op.f("ck_user_account_role")),
        sa.CheckConstraint("status IN ('active', 'blocked')", name=op.f("ck_user_account_status")),
        sa.ForeignKeyConstraint(
            ["client_id"], ["client.id"], name=op.f("fk_user_account_client_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["extension_id", "client_id"],
            ["extension.id", "extension.client_id"],
            name=op.f("fk_user_account_extension_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("login", name=op.f("uq_user_account_login")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "application",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("redirect_urls", sa.Text(), server_default="", nullable=False),
        sa.Column("rate_limit", sa.Integer(), nullable=True),
        sa.Column("enabled", sa.Boolean(), server_default="1", nullable=False),
        sa.Column("create_date", sa.DateTime(), nullable=False),
        sa.CheckConstraint("access IN ('All', 'Call API')", name=op.f("ck_application_access")),
        sa.CheckConstraint(
            "type IN ('trusted', 'public', 'password_credentials')", name=op.f("ck_application_type")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_application_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("public_id", name=op.f("uq_application_public_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "phone",
        sa.Column("extension_id", Id, autoincrement=False, nullable=False),
        sa.Column("client_id", Id, nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("ha1_md5", sa.String(length=32), nullable=True),
        sa.Column("ha1_sha256", sa.String(length=64), nullable=True),
        sa.Column("auth_type", sa.String(length=16), server_default="digest", nullable=False),
        sa.Column("sip_network_permission_id", Id, nullable=True),
        sa.Column("allow_webrtc", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("call_screening_enabled", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("append_to_cid_name_on_transfer", sa.Text(), nullable=True),
        sa.CheckConstraint("auth_type IN ('digest', 'network', 'both')", name=op.f("ck_phone_auth_type")),
        sa.ForeignKeyConstraint(
            ["extension_id", "client_id"],
            ["extension.id", "extension.client_id"],
            name=op.f("fk_phone_extension_id_client_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sip_network_permission_id", "client_id"],
            ["sip_network_permission.id", "sip_network_permission.client_id"],
            name=op.f("fk_phone_sip_network_permission_id_client_id"),
        ),
        sa.PrimaryKeyConstraint("extension_id", name=op.f("pk_phone")),
    )
    op.create_table(
        "access_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("application_id", Id, nullable=False),
        sa.Column("user_id", Id, nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_access_token_application_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_access_token_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_access_token")),
    )
    op.create_index(
        op.f("ix_access_token_application_id_expires_at"),
        "access_token",
        ["application_id", "expires_at"],
        unique=False,
    )
    op.create_table(
        "rate_count",
        sa.Column("application_id", Id, nullable=False),
        sa.Column("hour", Id, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_rate_count_application_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("application_id", "hour", name=op.f("pk_rate_count")),
    )
