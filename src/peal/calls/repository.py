"""Calls in the database."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Text, cast, delete, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.calls.event import Event, Extension
from peal.calls.model import root
from peal.calls.tables import call, call_event, call_extension, leg
from peal.clients.tables import client
from peal.db import bulk
from peal.extensions.tables import extension
from peal.numbers.tables import did
from peal.phones.tables import phone

Row = dict[str, Any]
Address = tuple[str, str]
"""Domain and full number."""
_EVENT = msgspec.json.Decoder(Event)


class Found(msgspec.Struct, frozen=True):
    """An extension, with its client and the bundle that it is in."""

    client_id: int
    bundle_id: int
    extension: Extension


async def look_up(connection: AsyncConnection, addresses: Collection[Address]) -> dict[Address, Found]:
    """Return the extensions at these addresses, and all that share a bundle with one of them."""
    if not addresses:
        return {}
    keys = [(domain, *number.split("*", 1)) for domain, number in addresses]
    named = (
        select(extension.c.bundle_id)
        .join(client, client.c.id == extension.c.client_id)
        .where(tuple_(client.c.domain, client.c.prefix, extension.c.number).in_(keys))
    )
    query = (
        select(
            client.c.domain,
            client.c.prefix,
            client.c.id.label("client_id"),
            extension.c.number,
            extension.c.id,
            extension.c.bundle_id,
            extension.c.type,
            extension.c.caller_id_name,
            phone.c.label.label("phone_label"),
            extension.c.label,
        )
        .join(client, client.c.id == extension.c.client_id)
        .outerjoin(phone, phone.c.extension_id == extension.c.id)
        .where(extension.c.bundle_id.in_(named))
        .order_by(extension.c.bundle_id, extension.c.position)
    )
    return {
        (row.domain, f"{row.prefix}*{row.number}"): Found(
            row.client_id,
            row.bundle_id,
            Extension(row.id, row.type, row.caller_id_name or row.phone_label or row.label or row.number),
        )
        for row in await connection.execute(query)
    }


async def owners(connection: AsyncConnection, numbers: Collection[str]) -> dict[str, int]:
    """Return which client has each outside number."""
    if not numbers:
        return {}
    query = select(did.c.name, did.c.client_id).where(did.c.name.in_(numbers), did.c.client_id.is_not(None))
    return {row.name: row.client_id for row in await connection.execute(query)}


async def keep(connection: AsyncConnection, rows: Sequence[Row]) -> None:
    """Insert events; those that are there stay as they are."""
    await bulk.insert(connection, call_event, rows, replace=False)


async def events_of(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, list[Event]]:
    """Return all events of these calls."""
    found: dict[str, list[Event]] = {call_id: [] for call_id in call_ids}
    text = cast(call_event.c.body, Text).label("text")
    query = select(call_event.c.call_id, text).where(call_event.c.call_id.in_(call_ids))
    for row in await connection.execute(query):
        found[row.call_id].append(_EVENT.decode(row.text))
    return found


async def families(connection: AsyncConnection, call_ids: Collection[str]) -> dict[str, set[str]]:
    """Return these calls and all that transfers tie to them, by the call that each came of."""
    transfers: dict[str, str] = {}
    asked: set[str] = set()
    new = set(call_ids)
    while new:
        asked |= new
        query = select(call_event.c.call_id, call_event.c.transfer).where(
            call_event.c.transfer.is_not(None),
            or_(call_event.c.call_id.in_(new), call_event.c.transfer.in_(new)),
        )
        found = {row.call_id: row.transfer for row in await connection.execute(query)}
        transfers |= found
        new = {*found, *found.values()} - asked
    result: dict[str, set[str]] = {}
    for call_id in asked:
        result.setdefault(root(call_id, transfers), set()).add(call_id)
    return result


async def going_on(connection: AsyncConnection) -> list[str]:
    """Return the calls that are not over."""
    query = select(call.c.id).where(call.c.hangup_time.is_(None)).order_by(call.c.init_time)
    return [row.id for row in await connection.execute(query)]


async def forget(connection: AsyncConnection, calls: Collection[str], legs: Collection[str]) -> None:
    """Delete calls that have turned out to be of others, and the legs of calls that are written anew."""
    if calls:
        await connection.execute(delete(call).where(call.c.id.in_(calls)))
    if legs:
        await connection.execute(delete(leg).where(leg.c.call_id.in_(legs)))


async def write(
    connection: AsyncConnection, calls: Sequence[Row], legs: Sequence[Row], extensions: Sequence[Row]
) -> None:
    """Insert or replace calls with their legs; `extensions`: whose they are."""
    for table, rows in ((call, calls), (leg, legs), (call_extension, extensions)):
        await bulk.insert(connection, table, rows, replace=True)
