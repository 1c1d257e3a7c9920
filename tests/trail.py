"""What a change leaves behind: audit rows and change-log rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from parts import Tenant, look
from sqlalchemy import select

from peal.audit.tables import audit, change_log


@dataclass
class Trail:
    """Rows of one client, filled when the block ends: `(action, object, old, new)` and ids of extensions."""

    audit: list[tuple] = field(default_factory=list)
    routed: list[int] = field(default_factory=list)


@contextmanager
def trail(tenant: Tenant) -> Iterator[Trail]:
    """Collect what the block leaves behind for the tenant."""
    before = _rows(tenant)
    found = Trail()
    yield found
    audits, routes = (now[len(then) :] for then, now in zip(before, _rows(tenant), strict=True))
    found.audit += [(row["action"], row["object_id"], row["old"], row["new"]) for row in audits]
    found.routed += sorted(row["extension_id"] for row in routes if row["kind"] == "extension")


def _rows(tenant: Tenant) -> list[list[dict]]:
    tables = ((audit, audit.c.id), (change_log, change_log.c.seq))
    of_tenant = [select(t).where(t.c.client_id == tenant.id).order_by(key) for t, key in tables]
    return look(tenant.server.database, *of_tenant)
