"""Outside numbers for tests of the API, and what the switch is told of them."""

import secrets

from parts import look
from sqlalchemy import select

from peal.audit.tables import change_log


def number() -> str:
    return f"7843{secrets.randbelow(10**7):07}"


def give(server, client_id: int | None, **fields) -> dict:
    """A fresh number, of a client or of nobody."""
    made = server.admin.post("/admin/did/", json={"name": number(), "client_id": client_id} | fields)
    assert made.status_code == 201, made.text
    return made.json()


class Told:
    """What the switch has been told to read again since, of what is no extension: kind and name."""

    def __init__(self, server):
        self.database = server.database
        self.since = max((row["seq"] for row in self._rows(0)), default=0)

    def _rows(self, since: int) -> list[dict]:
        query = select(change_log).where(change_log.c.seq > since).order_by(change_log.c.seq)
        return look(self.database, query)[0]

    def __call__(self) -> list[tuple[str, str]]:
        return [(row["kind"], row["number"]) for row in self._rows(self.since) if row["kind"] != "extension"]
