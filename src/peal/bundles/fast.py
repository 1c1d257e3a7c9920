"""GET bundle in one statement, straight through the driver: the hot read of the API (decision 5).

It answers where all is well, on PostgreSQL; anything else (an alias, another tenant's id, one that does
not exist) gives None, and the caller goes the long way, which knows the right error.
"""

from peal.db.engine import Database
from peal.http.principal import Principal

_BUNDLE = """
    SELECT e.bundle_id, array_agg(m.id ORDER BY m.position) AS members
    FROM extension e JOIN extension m ON m.bundle_id = e.bundle_id
    WHERE e.id = $1 AND e.client_id = $2 GROUP BY e.bundle_id
"""


async def bundle(
    database: Database, user: Principal, client: str, extension: str
) -> tuple[int, list[int]] | None:
    """Return the main extension and the associated ones; None: go the long way."""
    client_id = user.client_id if client == "@me" and user.role == "client" else _id(client)
    if database.direct is None or client_id is None or (extension_id := _id(extension)) is None:
        return None
    if user.role == "extension" or user.client_id not in (None, client_id):
        return None
    row = await database.direct.fetchrow(_BUNDLE, extension_id, client_id)
    return None if row is None else (row["bundle_id"], row["members"][1:])


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
