"""What the API asks of PostgreSQL, written for pgbench."""

import re
from collections import defaultdict
from pathlib import Path

import httpx
from data import CLIENT, psql
from load import Target

GET = r"""
\set id random(1, {extensions})
SELECT u.id, u.role, u.client_id, t.expires_at FROM access_token t JOIN user_account u ON u.id = t.user_id
    WHERE t.token_hash = '{token}';
SELECT bundle_id, id FROM extension
    WHERE bundle_id = (SELECT bundle_id FROM extension WHERE id = :id) ORDER BY position;
"""

PHONE = "/api/ver1.0/extension/{}/phone/"
_ENTRY = re.compile(r"^[-\d]+ [\d:.]+ \S+ \[(\d+)\] (.*\n(?:\t.*\n)*)", re.MULTILINE)
_LOGGED = re.compile(r"LOG:  (?:execute \S+|statement): (.*)", re.DOTALL)
_PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


def of_put_phone(target: Target, log: Path) -> str:
    """Return the statements of one PUT phone as a pgbench script: as PostgreSQL itself logged them.

    The extension and the limit that it sets are random in the script; all else stays as it was sent.
    `log` is the server log; the database must have been told to log (`log_all`) before the API came up.
    """
    extension, limit = 12_348, 777_777
    before = log.stat().st_size
    answer = httpx.put(
        target.base + PHONE.format(extension),
        json={"incoming_limit": limit},
        headers={"Authorization": f"Bearer {target.token}"},
    )
    answer.raise_for_status()
    logged = log.read_bytes()[before:].decode()
    return _script(_transaction(logged), extension, limit, target.extensions)


def log_all(url: str) -> None:
    """Let PostgreSQL log each statement of new connections to this database."""
    psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET log_statement = 'all'")


def log_none(url: str) -> None:
    """Let it stop; for new connections."""
    psql(url, f"ALTER DATABASE {url.rpartition('/')[2]} RESET log_statement")


def _transaction(logged: str) -> list[str]:
    """Return the statements of the process that changed the bundle, BEGIN to COMMIT, parameters put in."""
    by_process: dict[str, list[str]] = defaultdict(list)
    for process, entry in _ENTRY.findall(logged):
        statements = by_process[process]
        if found := _LOGGED.match(entry):
            statements.append(found[1].strip().rstrip(";"))
        elif entry.startswith("DETAIL:  parameters: "):
            plain = re.sub(r":(?=[a-z])", ": ", entry)  # pgbench would take {"a":null} for a variable
            values = dict(_PARAMETER.findall(plain))
            statements[-1] = re.sub(r"\$(\d+)", lambda m, v=values: v[m[1]], statements[-1])
    ours = next(s for s in by_process.values() if any(one.startswith("UPDATE bundle") for one in s))
    start = next(i for i, one in enumerate(ours) if one.startswith("BEGIN"))
    return ours[start : ours.index("COMMIT") + 1]


def _script(statements: list[str], extension: int, limit: int, extensions: int) -> str:
    main = (extension - 1) // 5 * 5 + 1
    client = (extension - 1) // CLIENT + 1
    script = "\n".join(f"{statement};" for statement in statements)
    known = {str(limit): ":limit", str(extension): ":id", str(main): ":main", str(client): ":client"}
    script = re.sub(r"'(\d+)'", lambda m: known.get(m[1], m[0]), script)
    head = [
        rf"\set id random(1, {extensions})",
        r"\set limit random(1, 1000000)",
        r"\set main (:id - 1) / 5 * 5 + 1",
        rf"\set client (:id - 1) / {CLIENT} + 1",
    ]
    return "\n".join([*head, script])
