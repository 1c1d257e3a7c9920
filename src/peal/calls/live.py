"""The calls there are now, each once for each of its sides that is one of us."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import or_, select

from peal.calls import ids, listing
from peal.calls.tables import call, call_extension
from peal.clients.tables import client
from peal.db.work import Work
from peal.errors import bad_field
from peal.extensions.repository import sip_address
from peal.extensions.tables import extension
from peal.kit.numbers import full_name

Row = dict[str, Any]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """A side of a call."""

    call: Row
    part_id: str
    """What the switch takes for a call: the call itself, or what came of it by a transfer."""
    extension_id: int
    """As the listing asked shows it."""
    main_id: int
    """Of the extension that the call is told to."""
    is_caller: bool
    caller_id: int | None
    called_id: int | None
    """The main extensions of both sides, if they are ours."""
    leg: Row | None
    """Of the phone that talks, else of the first that rings."""

    @property
    def id(self) -> str:
        """Return the id of the call."""
        return str(self.call["id"])

    @property
    def is_between_members(self) -> bool:
        """Return whether both sides are of one bundle."""
        return self.caller_id == self.called_id

    @property
    def api_id(self) -> str:
        """Return its `call_api_id`."""
        return ids.call_api_id(self.main_id, self.id)


class Member(msgspec.Struct, frozen=True):
    """An extension of the bundle that a side of a call is of."""

    number: str
    main_number: str
    address: str
    """By which its phones register: `0003*101@domain`."""


async def sides(work: Work, client_id: int, extension_id: int | None = None) -> list[Side]:
    """Return the sides of calls that are not known to be over: of a client, or of one of its extensions.

    A main extension has those of its members, an associated one only its own.
    """
    query = select(call).where(call.c.client_id == client_id, call.c.hangup_time.is_(None))
    if extension_id is not None:
        theirs = select(call_extension.c.call_id).where(call_extension.c.extension_id == extension_id)
        query = query.where(call.c.id.in_(theirs))
    rows = [dict(row) for row in (await work.execute(query.order_by(call.c.init_time, call.c.id))).mappings()]
    legs = await listing.legs_of(work, client_id, [row["id"] for row in rows])
    return [side for row in rows for side in _sides(row, legs[row["id"]], extension_id)]


def _sides(row: Row, legs: list[Row], wanted: int | None) -> Iterator[Side]:
    parts: dict[str, list[Row]] = {row["id"]: []}
    for leg in legs:
        parts.setdefault(leg["part_id"], []).append(leg)
    for part_id, theirs in parts.items():
        open_ = [leg for leg in theirs if leg["hangup_time"] is None]
        if open_ or not legs:
            called_id = _called(theirs) if part_id != row["id"] else _account(row)
            yield from _of_part(row, part_id, called_id, open_, wanted)


def _account(row: Row) -> int | None:
    """Return the extension that a call is of, where that is the called one."""
    return row["extension_id"] if row["flow"] == "in" else None


def _called(legs: list[Row]) -> int | None:
    """Return the main extension that is called in what came of a call by a transfer."""
    return next(
        (leg["bundle_extension_id"] or leg["extension_id"] for leg in legs if leg["flow"] == "in"), None
    )


def _of_part(
    row: Row, part_id: str, called_id: int | None, legs: list[Row], wanted: int | None
) -> Iterator[Side]:
    callers = next((leg for leg in legs if leg["flow"] == "out"), None)
    caller_id = callers["extension_id"] if callers else None
    parties: dict[str, Any] = {
        "call": row,
        "part_id": part_id,
        "caller_id": caller_id,
        "called_id": called_id,
    }
    if callers and caller_id and wanted in (None, caller_id, callers["bundle_extension_id"]):
        shown = wanted or caller_id
        yield Side(extension_id=shown, main_id=caller_id, is_caller=True, leg=callers, **parties)
    rang = [leg for leg in legs if leg["flow"] == "in"]
    if wanted not in (None, called_id):
        rang = [leg for leg in rang if leg["extension_id"] == wanted]
        is_shown = bool(rang)
    else:
        is_shown = called_id != caller_id  # a call between members is told to the caller's side alone
    if called_id and is_shown:
        leg = next((leg for leg in rang if leg["bridged_time"]), rang[0] if rang else None)
        shown = wanted or called_id
        yield Side(extension_id=shown, main_id=called_id, is_caller=False, leg=leg, **parties)


async def member(work: Work, side: Side, number: str) -> Member:
    """Return the extension of a side's bundle that a number names, with the client's prefix or without.

    Raises:
        BadRequest: it names none.
    """
    main = extension.alias()
    name = full_name(client.c.prefix, extension.c.number)
    columns = (extension.c.number, client.c.prefix, client.c.domain)
    query = (
        select(*columns, main.c.number.label("main_number"))
        .join(main, main.c.id == extension.c.bundle_id)
        .join(client, client.c.id == extension.c.client_id)
        .where(extension.c.bundle_id == side.main_id, or_(extension.c.number == number, name == number))
    )
    found = (await work.execute(query)).mappings().one_or_none()
    if found is None:
        raise bad_field("send_dst", "is no extension of this bundle")
    return Member(found["number"], found["main_number"], sip_address(dict(found)))


async def parties(work: Work, found: list[Side]) -> dict[int, Row]:
    """Return the extensions that have part in these calls, by id."""
    wanted = {each for side in found for each in (side.caller_id, side.called_id) if each}
    query = select(
        extension.c.id,
        extension.c.type,
        full_name(client.c.prefix, extension.c.number).label("name"),
        extension.c.client_id,
    ).join(client, client.c.id == extension.c.client_id)
    rows = await work.execute(query.where(extension.c.id.in_(wanted)))
    return {row["id"]: dict(row) for row in rows.mappings()}
