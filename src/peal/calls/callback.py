"""Callbacks: an extension is rung, and whoever picks up there is brought to a number."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import select

from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import bad_field
from peal.extensions.repository import sip_address
from peal.extensions.tables import extension
from peal.kit.numbers import short_number


class Rung(msgspec.Struct, frozen=True):
    """Who is to be rung."""

    main_id: int
    """Of the extension that the call is told to."""
    prefix: str
    domain: str
    extension: str
    """The number that is called, short."""
    only: list[str]
    """The extensions whose phones alone ring, short; none: all that ring in a call to that number."""
    addresses: list[str]
    """By which all phones that are to ring register: `0003*101@domain`."""


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    """What the switch is asked to do."""

    rung: Rung
    number: str
    """That whoever picks up is brought to."""
    shown_number: str
    shown_name: str
    """What the phones that ring are shown."""
    ring_ms: int
    longest_seconds: int
    """That the talk may last; 0: as any."""


async def rung(work: Work, extension_id: int, wanted: Sequence[str]) -> Rung:
    """Return who is rung when numbers of an extension are wanted: itself, or, of a main one, its members.

    Raises:
        BadRequest: another number is among them, or the extension is no phone.
    """
    me = extension.alias()
    columns = (extension.c.id, extension.c.number, extension.c.type, extension.c.bundle_id)
    query = (
        select(*columns, client.c.prefix, client.c.domain)
        .join(me, me.c.bundle_id == extension.c.bundle_id)
        .join(client, client.c.id == extension.c.client_id)
        .where(me.c.id == extension_id)
        .order_by(extension.c.position)
    )
    rows = [dict(row) for row in (await work.execute(query)).mappings()]
    own = next(row for row in rows if row["id"] == extension_id)
    if own["type"] != "phone":
        raise bad_field("extension_id", "is no phone")
    is_main = own["id"] == own["bundle_id"]
    reach = {row["number"]: sip_address(row) for row in rows if is_main or row is own}
    short = list(dict.fromkeys(short_number(number, own["prefix"]) for number in wanted))
    strangers = [number for number in short if number not in reach]
    if strangers:
        raise bad_field("src_num", f"{strangers[0]} is no number of this extension")
    only = [] if own["number"] in short else short
    addresses = [reach[number] for number in only or reach]
    return Rung(own["bundle_id"], own["prefix"], own["domain"], own["number"], only, addresses)
