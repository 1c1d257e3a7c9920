"""Databases full of extensions, for measurements; the same rows on SQLite and PostgreSQL."""

import sqlite3
import subprocess
from pathlib import Path

from parts import POSTGRES, Postgres, peal

CLIENT = 100
"""Extensions of a client; numbers 1000 to 1099."""

ROWS = """
INSERT INTO client (id, name, prefix, domain, extension_len, create_date)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {clients})
    SELECT i, 'Bench', i, 'pbx.test', 4, CURRENT_TIMESTAMP FROM n;
INSERT INTO bundle (id, client_id, type, status, record_transfer, record_enabled,
    conference_announce_caller_name, conference_end_on_exit, record_format, record_stereo)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + {size} FROM n WHERE i + {size} < {extensions})
    SELECT i + 1, i / {client} + 1, 'phone', 'active', false, false, true, true, 'mp3', false FROM n;
INSERT INTO extension (id, client_id, bundle_id, position, number, type, create_date)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {extensions})
    SELECT i + 1, i / {client} + 1, i / {size} * {size} + 1, i % {size}, 1000 + i % {client}, 'phone',
        CURRENT_TIMESTAMP FROM n;
INSERT INTO phone (extension_id, client_id) SELECT id, client_id FROM extension;
"""
SEQUENCES = """
SELECT setval(pg_get_serial_sequence('client', 'id'), {clients});
SELECT setval(pg_get_serial_sequence('bundle', 'id'), {extensions});
"""


def postgresql(cluster: Postgres, extensions: int, size: int, client: int = CLIENT) -> str:
    """Return the URL of a database with so many extensions, in bundles of `size`, `client` for a client."""
    url = cluster.database()
    psql(url, _rows(extensions, size, client, ROWS + SEQUENCES))
    psql(url, "VACUUM ANALYZE")
    return url


def sqlite(folder: Path, extensions: int, size: int, client: int = CLIENT) -> str:
    """Return the URL of a file with so many extensions, in bundles of `size`, `client` for a client."""
    file = folder / f"bench-{extensions}-{size}.db"
    peal(f"sqlite:///{file}", "migrate")
    with sqlite3.connect(file) as connection:
        connection.executescript(f"BEGIN; {_rows(extensions, size, client, ROWS)} COMMIT; ANALYZE;")
    connection.close()
    return f"sqlite:///{file}"


def psql(url: str, statements: str) -> str:
    """Run statements, as one transaction; return what they print."""
    command = [POSTGRES / "psql", "-qAt", "-d", url, "-c", statements]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _rows(extensions: int, size: int, client: int, sql: str) -> str:
    return sql.format(extensions=extensions, size=size, client=client, clients=extensions // client)
