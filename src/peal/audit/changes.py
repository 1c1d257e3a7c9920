"""Change-log rows of what is no extension: things that the switch keeps by a name."""

from typing import Any, Literal

from sqlalchemy import insert

from peal.audit.tables import CURRENT_XID, change_log
from peal.db.work import Work

Kind = Literal["did", "client", "common", "rules", "trunk"]
"""`did`: an outside number, by itself; `client`: what a client's calls to the outside need, by its id;
`common`: the trunks of all clients, `0`; `rules`: a list of dial rules, by id; `trunk`: where calls come from
and what is registered, by id."""


async def log(work: Work, kind: Kind, name: str | int, client_id: int | None = None) -> None:
    """Write that the switch must read this again."""
    values: dict[str, Any] = {"kind": kind, "number": str(name), "client_id": client_id, "domain": ""}
    if work.on_postgresql:
        values["xid"] = CURRENT_XID
    await work.execute(insert(change_log).values(**values))
