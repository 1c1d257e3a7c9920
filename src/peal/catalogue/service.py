"""What can be done with a client's things. The caller has opened the transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Select, Table, delete, insert, select, update

from peal.audit import changes
from peal.bundles import repository as bundles
from peal.catalogue import references
from peal.db.work import Work
from peal.dialrules.tables import dial_rule
from peal.errors import NotFound
from peal.kit.paging import Page


@dataclass(frozen=True)
class Kind:
    """A kind of thing: its table, and those columns that listings and the audit leave out."""

    table: Table
    heavy: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[Column[Any]]:
        """What is read of a thing."""
        return [column for column in self.table.columns if column.name not in self.heavy]

    def told(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the audit says of `values`."""
        return {name: value for name, value in values.items() if name not in self.heavy}


async def one(work: Work, kind: Kind, client_id: int, object_id: int) -> dict[str, Any]:
    """Return a thing's row.

    Raises:
        NotFound: the client has none of this id.
    """
    row = (await work.execute(_of_client(kind, client_id).where(kind.table.c.id == object_id))).mappings()
    found = row.first()
    if found is None:
        raise NotFound()
    return dict(found)


async def page(
    work: Work, kind: Kind, client_id: int, wanted: Page, filters: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Return a page of a client's things; of a column in `filters`, one of the values."""
    query = _of_client(kind, client_id)
    for name, values in filters.items():
        query = query.where(kind.table.c[name].in_(values))
    order = kind.table.c.id.desc() if wanted.descending else kind.table.c.id
    rows = await work.execute(query.order_by(order).limit(wanted.per_page).offset(wanted.offset))
    return [dict(row) for row in rows.mappings()]


async def create(work: Work, kind: Kind, client_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """Make a thing; nothing names it yet."""
    statement = insert(kind.table).values(client_id=client_id, **values).returning(kind.table.c.id)
    made = int((await work.execute(statement)).scalar_one())
    await work.audit(f"{kind.table.name}:create", client_id, made, None, kind.told(values))
    return await one(work, kind, client_id, made)


async def change(
    work: Work, kind: Kind, client_id: int, object_id: int, sent: Mapping[str, Any]
) -> dict[str, Any]:
    """Set what `sent` holds; the extensions that it concerns are routed anew."""
    row = await one(work, kind, client_id, object_id)
    if all(row[name] == value for name, value in sent.items() if name in row):
        return row
    await work.execute(update(kind.table).where(kind.table.c.id == object_id).values(**sent))
    told = kind.told(sent)
    await work.audit(
        f"{kind.table.name}:change", client_id, object_id, {name: row[name] for name in told}, told
    )
    if kind.table is dial_rule:  # extensions name it, and the switch keeps it apart from them
        await changes.log(work, "rules", object_id, client_id)
    else:
        await bundles.log_routing(work, references.concerned(kind.table, object_id))
    return {**row, **told}


async def remove(work: Work, kind: Kind, client_id: int, object_id: int) -> None:
    """Delete a thing that nothing names."""
    row = await one(work, kind, client_id, object_id)
    await references.check_unused(work, kind.table, object_id)
    await work.execute(delete(kind.table).where(kind.table.c.id == object_id))
    told = {name: value for name, value in row.items() if name in ("name", "title", "dial_rules")}
    await work.audit(f"{kind.table.name}:delete", client_id, object_id, told)


def _of_client(kind: Kind, client_id: int) -> Select[Any]:
    return select(*kind.columns).where(kind.table.c.client_id == client_id)
