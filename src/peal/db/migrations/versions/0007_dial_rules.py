"""What dial rules cost is bounded, and what refuses a number knows its other forms: `international_prefix`"""

import sqlalchemy as sa
import structlog
from alembic import op

from peal.dialrules.model import Rule, RuleError, check_list, translate

revision = "0007"
down_revision = "0006"

log = structlog.get_logger(__name__)

dial_rule = sa.table(
    "dial_rule",
    sa.column("id", sa.BigInteger),
    sa.column("client_id", sa.BigInteger),
    sa.column("dial_rules", sa.JSON),
    sa.column("posix_rules", sa.Text),
)
TOO_DEAR = "/"
"""A rule without an expression: the switch refuses the number and says why, see RULE in outside.cfg."""


def upgrade() -> None:
    prefix = sa.Column("international_prefix", sa.String(length=8), server_default="00", nullable=False)
    op.add_column("client", prefix)
    op.execute("DROP VIEW sip_client")
    op.execute(sip_client(op.get_bind().dialect.name))
    bound_rules(op.get_bind())


def bound_rules(connection: sa.Connection) -> None:
    """Stop the rules that would not be accepted any more; each list that has one is named in the log.

    Of a list that is too dear as a whole, those from the first that is too much.
    """
    for row in connection.execute(sa.select(dial_rule).order_by(dial_rule.c.id)).all():
        kept: list[Rule] = []
        texts: list[str] = []
        for number, rule in enumerate(row.dial_rules):
            try:
                translated = translate(rule["match_exp"], rule["repl_exp"])
                check_list([*kept, translated])
            except RuleError as error:
                log.warning(
                    "dial_rule_refuses",
                    client_id=row.client_id,
                    dial_rule_id=row.id,
                    rule=number,
                    match_exp=rule["match_exp"],
                    reason=str(error),
                )
                texts.append(TOO_DEAR)
            else:
                kept.append(translated)
                texts.append(translated.text)
        if "/".join(texts) != row.posix_rules:
            named = dial_rule.c.id == row.id
            connection.execute(sa.update(dial_rule).where(named).values(posix_rules="/".join(texts)))


def sip_client(dialect: str) -> str:
    """Return the statement of the view: what the fields of `val` are stands in switch/config/rows.cfg."""
    return f"""
        CREATE VIEW sip_client AS
        SELECT c.id AS client_id,
            COALESCE((SELECT a.number FROM ani a WHERE a.client_id = c.id AND a.extension_id IS NULL), '-')
            || '|' || COALESCE(CAST(c.dial_rule_id AS TEXT), '-')
            || '|' || {_trunks(dialect)}
            || '|' || c.international_prefix AS val
        FROM client c
        """  # noqa: S608 - nothing of it comes from outside


def _trunks(dialect: str) -> str:
    """Say which trunks a client has, the one to be tried first first."""
    fields = "CAST(t.id AS TEXT) || ';' || t.host || ';' || CAST(t.port AS TEXT) || ';' || t.transport"
    for name in ("login", "realm", "ha1_md5", "number"):
        fields += f" || ';' || COALESCE(t.{name}, '-')"
    theirs = "FROM trunk t WHERE t.owner = c.id AND t.status = 'active'"
    if dialect == "sqlite":
        ordered = f"SELECT {fields} AS one {theirs} ORDER BY t.priority, t.id"
        return f"COALESCE((SELECT group_concat(one, '/') FROM ({ordered})), '-')"  # noqa: S608 - ours
    return f"COALESCE((SELECT string_agg({fields}, '/' ORDER BY t.priority, t.id) {theirs}), '-')"
