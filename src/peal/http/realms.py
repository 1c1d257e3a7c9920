"""Realms: from the ids and aliases of a path to what the token may reach.

This is the one place that decides whose an object is. A write locks its client's row first: writes
of one client queue, those of different clients do not, and with one lock per transaction there is no
deadlock (docs/decisions/0003-locking.md).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, select

from peal.clients import repository as clients
from peal.clients.tables import client
from peal.db.prepared import Prepared
from peal.db.work import Work
from peal.errors import AccessDenied, NotFound, PealError, bad_field, client_not_found, extension_not_found
from peal.extensions.tables import extension
from peal.http.principal import Principal
from peal.http.values import MAX_ID


@dataclass(frozen=True)
class Place:
    """An extension that the token may reach."""

    id: int
    client_id: int
    type: str


def number(text: str, error: PealError | None = None) -> int:
    """Return an id; in a path, what can't be one does not exist."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= MAX_ID):
        raise error or NotFound()
    return int(text)


def no_extension_users(user: Principal) -> None:
    """Refuse those of a single extension."""
    if user.role == "extension":
        raise AccessDenied()


async def client_realm(
    work: Work, user: Principal, text: str, *, write: bool = False, extension_users: bool = False
) -> int:
    """Return the client of a path; `write` locks it, `extension_users` lets those in, too."""
    if text == "@me":
        if user.role != "client" or user.client_id is None:
            raise client_not_found()
        client_id = user.client_id
    else:
        client_id = number(text, client_not_found())
    if not user.is_admin and client_id != user.client_id:
        raise client_not_found()
    if not extension_users:
        no_extension_users(user)
    if (user.is_admin or write) and not await clients.existing(work, [client_id], lock=write):
        raise client_not_found()
    return client_id


async def extension_realm(work: Work, user: Principal, text: str, *, write: bool = False) -> Place:
    """Return the extension of a path; `write` locks its client.

    What was locked existed before the wait for the lock: whoever reads its row after it may find none.
    """
    if not write:
        return await find_extension(work, user, text, user.client_id)
    if text.startswith("@"):
        extension_id = (await find_extension(work, user, text, user.client_id)).id
    else:
        extension_id = number(text, extension_not_found())
    return _place(user, await work.fetch(_LOCKED, extension_id=extension_id), user.client_id)


async def find_extension(work: Work, user: Principal, text: str, client_id: int | None) -> Place:
    """Return the extension that `text` names (id, `@101`, `@0003*101`, `@me`), in `client_id` if given."""
    query = _extension_named(user, text, client_id).limit(2)
    rows = [dict(row) for row in (await work.execute(query)).mappings()]
    return _place(user, rows, client_id)


def _place(user: Principal, rows: Sequence[Mapping[str, Any]], client_id: int | None) -> Place:
    if len(rows) > 1:
        raise bad_field("extension_id", "several clients have this prefix in different domains; use the id")
    if not rows or client_id not in (None, rows[0]["client_id"]):
        raise extension_not_found()
    if user.role == "extension" and rows[0]["id"] != user.extension_id:
        raise extension_not_found()
    return Place(**rows[0])


_PLACES = select(extension.c.id, extension.c.client_id, extension.c.type)
_LOCKED = Prepared(
    _PLACES.join(client, client.c.id == extension.c.client_id)
    .where(extension.c.id == bindparam("extension_id"))
    .with_for_update(key_share=True, of=client)
)


def _extension_named(user: Principal, text: str, client_id: int | None) -> Select[Any]:
    query = _PLACES
    if text == "@me":
        if user.extension_id is None:
            raise extension_not_found()
        query = query.where(extension.c.id == user.extension_id)
    elif text.startswith("@"):
        prefix, star, short = text[1:].rpartition("*")
        if not star and client_id is None:
            raise bad_field(
                "extension_id", "an administrator names it with the client's prefix, like @0003*101"
            )
        query = query.where(extension.c.number == short)
        if star:
            query = query.join(client, client.c.id == extension.c.client_id).where(client.c.prefix == prefix)
    else:
        query = query.where(extension.c.id == number(text, extension_not_found()))
    return query if client_id is None else query.where(extension.c.client_id == client_id)


def check_own_fields(user: Principal, values: dict[str, Any], row: dict[str, Any], own: set[str]) -> None:
    """Refuse an extension's user who would change more than `own`; equal values are forms sent back."""
    if user.role != "extension":
        return
    changed = [name for name, value in values.items() if name not in own and row.get(name) != value]
    if changed:
        raise AccessDenied(
            f"Access denied: {', '.join(changed)}", errors=bad_field(changed[0], "denied").errors
        )
