"""Bundles in the database."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Insert, bindparam, delete, insert, literal, select, update

from peal.audit.tables import CURRENT_XID, change_log
from peal.bundles.fields import NAMES
from peal.bundles.model import Member
from peal.bundles.tables import bundle
from peal.clients.tables import client
from peal.db.prepared import Prepared
from peal.db.work import Work
from peal.errors import extension_not_found
from peal.extensions.tables import extension
from peal.kit.numbers import full_name
from peal.kit.paging import Page

_SHARED = [column for column in bundle.columns if column.name not in ("id", "main_id")]


async def members(work: Work, ids: Sequence[int]) -> dict[int, Member]:
    """Return those of `ids` that exist, of any client."""
    columns = (extension.c.id, extension.c.client_id, extension.c.type, extension.c.bundle_id)
    rows = await work.execute(select(*columns).where(extension.c.id.in_(set(ids))))
    return {row.id: Member(row.id, row.client_id, row.type, row.bundle_id) for row in rows}


async def with_associated(work: Work, ids: Sequence[int]) -> set[int]:
    """Return those of `ids` that others are associated with."""
    associated = extension.c.bundle_id.in_(set(ids)), extension.c.position > 0
    query = select(extension.c.bundle_id).where(*associated).distinct()
    return set((await work.execute(query)).scalars())


async def associated(work: Work, main_id: int) -> tuple[int, ...]:
    """Return the extensions associated with `main_id`, in their order."""
    query = (
        select(extension.c.id)
        .where(extension.c.bundle_id == main_id, extension.c.position > 0)
        .order_by(extension.c.position)
    )
    return tuple((await work.execute(query)).scalars())


async def of_extension(work: Work, extension_id: int) -> tuple[int, list[int]]:
    """Return the main extension of the bundle that `extension_id` is in, and the associated ones.

    Raises:
        NotFound: the extension was deleted a moment ago.
    """
    rows = await work.fetch(_OF_EXTENSION, extension_id=extension_id)
    if not rows:
        raise extension_not_found()
    return rows[0]["bundle_id"], [row["id"] for row in rows[1:]]


_MINE = select(extension.c.bundle_id).where(extension.c.id == bindparam("extension_id"))
_OF_EXTENSION = Prepared(
    select(extension.c.bundle_id, extension.c.id)
    .where(extension.c.bundle_id == _MINE.scalar_subquery())
    .order_by(extension.c.position)
)


async def page(work: Work, client_id: int, wanted: Page) -> list[tuple[int, list[int]]]:
    """Return a page of the client's bundles by their main ids, each with its associated extensions."""
    order = extension.c.bundle_id.desc() if wanted.descending else extension.c.bundle_id
    mains = (
        select(extension.c.bundle_id)
        .where(extension.c.client_id == client_id, extension.c.position > 0)
        .group_by(extension.c.bundle_id)
        .order_by(order)
        .limit(wanted.per_page)
        .offset(wanted.offset)
        .subquery()
    )
    query = (
        select(extension.c.bundle_id, extension.c.id)
        .join(mains, mains.c.bundle_id == extension.c.bundle_id)
        .where(extension.c.position > 0)
        .order_by(order, extension.c.position)
    )
    lists: dict[int, list[int]] = defaultdict(list)
    for row in await work.execute(query):
        lists[row.bundle_id].append(row.id)
    return list(lists.items())


async def shared(work: Work, bundle_id: int) -> dict[str, Any]:
    """Return the synchronised fields of a bundle."""
    row = (await work.execute(select(bundle).where(bundle.c.id == bundle_id))).mappings().one()
    return {name: row[name] for name in NAMES}


async def set_shared(work: Work, bundle_id: int, values: Mapping[str, Any]) -> None:
    """Change synchronised fields, for all members at once."""
    await work.fetch(_update(frozenset(values)), bundle_id=bundle_id, **values)


@lru_cache(maxsize=1000)
def _update(names: frozenset[str]) -> Prepared:
    changed = {name: bindparam(name, type_=bundle.c[name].type) for name in sorted(names)}
    return Prepared(update(bundle).where(bundle.c.id == bindparam("bundle_id")).values(changed))


async def release(work: Work, main_id: int, ids: Sequence[int]) -> None:
    """Give each of `ids` a row of its own, with the values of the bundle they leave."""
    for extension_id in ids:
        copy = select(literal(extension_id), *_SHARED).where(bundle.c.id == main_id)
        await work.execute(insert(bundle).from_select(["id", *(c.name for c in _SHARED)], copy))
        leave = update(extension).where(extension.c.id == extension_id)
        await work.execute(leave.values(bundle_id=extension_id, position=0))


async def associate(work: Work, main_id: int, ids: Sequence[int], added: Sequence[int]) -> None:
    """Let `ids` share the row of `main_id`, in this order; those of `added` lose their own."""
    for position, extension_id in enumerate(ids, start=1):
        join = update(extension).where(extension.c.id == extension_id)
        await work.execute(join.values(bundle_id=main_id, position=position))
    if added:
        await work.execute(delete(bundle).where(bundle.c.id.in_(added)))


async def log_routing(work: Work, concerned: ColumnElement[bool]) -> None:
    """Write the change-log rows of all extensions for which the condition holds."""
    await work.execute(_log_insert(concerned, with_xid=work.on_postgresql))


async def log_bundle(work: Work, bundle_id: int) -> None:
    """Write the change-log rows of all members of a bundle."""
    await work.fetch(_LOG_BUNDLE[work.on_postgresql], bundle_id=bundle_id)


def _log_insert(concerned: ColumnElement[bool], *, with_xid: bool) -> Insert:
    name = full_name(client.c.prefix, extension.c.number)
    rows = select(extension.c.client_id, extension.c.id, name, client.c.domain)
    rows = rows.join(client, client.c.id == extension.c.client_id).where(concerned).order_by(extension.c.id)
    columns = ["client_id", "extension_id", "number", "domain"]
    if with_xid:
        rows, columns = rows.add_columns(CURRENT_XID), [*columns, "xid"]
    return insert(change_log).from_select(columns, rows)


_LOG_BUNDLE = {
    xid: Prepared(_log_insert(extension.c.bundle_id == bindparam("bundle_id"), with_xid=xid))
    for xid in (False, True)
}
