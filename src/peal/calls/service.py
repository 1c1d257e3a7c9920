"""What can be done with calls. The caller has opened the transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.calls import repository
from peal.calls.event import Event, Known
from peal.calls.model import Call, Leg, assemble
from peal.calls.notices import notices
from peal.calls.outcome import Outcome
from peal.calls.repository import Address, Found, Row
from peal.events import outbox

BATCH = 500
"""Calls that are read at a time."""


class Told(msgspec.Struct, frozen=True):
    """An event as it was told: with its id, and all that its text holds."""

    id: str
    event: Event
    body: dict[str, Any]


async def take_in(connection: AsyncConnection, told: Sequence[Told]) -> None:
    """Keep events, with what is known of their numbers now, and bring their calls up to date."""
    known = await _known(connection, told)
    await repository.keep(connection, [_event_row(each, known.get(each.id)) for each in told])
    since: dict[str, int] = {}
    for each in told:
        since[each.event.call] = min(each.event.seq, since.get(each.event.call, each.event.seq))
    await _take(connection, since)


async def _take(connection: AsyncConnection, since: Mapping[str, int]) -> None:
    """Make calls anew from their events, with all that came of them by transfers.

    `since`: the first event of each that is new; what happened before it has been told.
    """
    families = await repository.families(connection, since)
    calls = await _assembled(connection, families)
    tied = {call_id: parts - {call_id} for call_id, parts in families.items() if len(parts) > 1}
    await repository.forget(connection, set().union(*tied.values()), tied)
    await repository.write(
        connection,
        [_call_row(call) for call in calls],
        [_leg_row(call, leg) for call in calls for leg in call.legs],
        [row for call in calls for row in _extension_rows(call)],
    )
    await outbox.tell(connection, [each for call in calls for each in notices(call, since)])


async def unfinished(connection: AsyncConnection) -> list[str]:
    """Return what the switch should still have: its ids of calls that nothing has ended."""
    going_on = await repository.going_on(connection)
    found = []
    for batch in (going_on[place : place + BATCH] for place in range(0, len(going_on), BATCH)):
        calls = await _assembled(connection, await repository.families(connection, batch))
        found += [part.id for call in calls for part in call.parts if part.ended is None]
    return found


async def _assembled(connection: AsyncConnection, families: Mapping[str, set[str]]) -> list[Call]:
    events = await repository.events_of(connection, {part for parts in families.values() for part in parts})
    stories = ([event for part in parts for event in events[part]] for parts in families.values())
    return [call for story in stories if (call := assemble(story))]


async def _known(connection: AsyncConnection, told: Sequence[Told]) -> dict[str, Known]:
    """Return what is known of events, by their ids."""
    parties = {each.id: each.event for each in told if each.event.from_}
    addresses = {address for event in parties.values() for address in _addresses(event)}
    extensions = await repository.look_up(connection, addresses)
    owners = await repository.owners(connection, {event.did for event in parties.values() if event.did})
    bundles = _bundles(extensions)
    found = {each: _known_of(event, extensions, bundles, owners) for each, event in parties.items()}
    return {event_id: known for event_id, known in found.items() if known}


def _addresses(event: Event) -> list[Address]:
    numbers = (event.from_, event.from_main, event.to, event.to_main)
    return [(event.domain, number) for number in numbers if "*" in number]


def _bundles(found: Mapping[Address, Found]) -> dict[int, dict[str, Found]]:
    """Return the members of each bundle, by their full numbers."""
    bundles: dict[int, dict[str, Found]] = {}
    for (_, number), each in found.items():
        bundles.setdefault(each.bundle_id, {})[number] = each
    return bundles


def _known_of(
    event: Event,
    found: Mapping[Address, Found],
    bundles: Mapping[int, Mapping[str, Found]],
    owners: Mapping[str, int],
) -> Known | None:
    """Return what is known of an event's numbers; None: nobody has them any more."""
    named = {address[1]: found[address] for address in _addresses(event) if address in found}
    client_id = next((each.client_id for each in named.values()), owners.get(event.did))
    if client_id is None:
        return None
    # a number of another client is one that nobody has
    mine = {number: each for number, each in named.items() if each.client_id == client_id}
    called = mine.get(event.to_main)
    members = bundles[called.bundle_id] if called else {}
    extensions = {number: each.extension for number, each in {**mine, **members}.items()}
    return Known(client_id, extensions, list(members) if len(members) > 1 else [])


def _event_row(told: Told, known: Known | None) -> Row:
    more = {"known": msgspec.to_builtins(known)} if known else {}
    event = told.event
    return {
        "id": told.id,
        "call_id": event.call,
        "seq": event.seq,
        "at": event.moment,
        "transfer": event.transfer or None,
        "body": told.body | more,
    }


def _call_row(call: Call) -> Row:
    first, outcome = call.first, call.outcome
    account = first.account
    return {
        "id": call.id,
        "client_id": first.client_id,
        "flow": first.flow,
        "domain": first.domain,
        "init_time": first.init,
        "bridged_time": first.answered,
        "hangup_time": call.ended,
        "from_username": first.shown,
        "from_screen_name": first.caller_name,
        "to_username": first.called.own_number,
        "bridged_username": first.answered_by,
        "dialled": first.dialled,
        "did_number": first.did,
        "ani_number": first.ani,
        "extension_id": account.extension.id if account.extension else None,
        "extension_number": account.number,
        "extension_type": account.extension.type if account.extension else None,
        **_end(outcome),
    }


def _end(outcome: Outcome | None) -> Row:
    return {
        "result": outcome.result if outcome else None,
        "hangup_cause": outcome.cause if outcome else None,
        "hangup_disposition": outcome.disposition if outcome else None,
    }


def _leg_row(call: Call, leg: Leg) -> Row:
    return {
        "call_id": call.id,
        "client_id": call.first.client_id,
        "n": leg.n,
        "part_id": leg.part_id,
        "flow": leg.flow,
        "init_time": leg.init,
        "bridged_time": leg.answered,
        "hangup_time": leg.ended,
        "extension_id": leg.extension.id if leg.extension else None,
        "extension_number": leg.number,
        "bundle_extension_id": leg.bundle.id if leg.bundle else None,
        "bundle_info": leg.bundle_info,
        "transfer_reason": leg.transfer_reason,
        **_end(leg.outcome),
    }


def _extension_rows(call: Call) -> list[Row]:
    """Return whose a call is: of both sides, of the phones that rang, and of their main extensions."""
    parties = [party for part in call.parts for party in (part.caller, part.called)]
    theirs = [extension for party in parties for extension in (party.extension, party.own)]
    theirs += [extension for leg in call.legs for extension in (leg.extension, leg.bundle)]
    return [
        {
            "call_id": call.id,
            "client_id": call.first.client_id,
            "extension_id": extension_id,
            "init_time": call.first.init,
        }
        for extension_id in sorted({extension.id for extension in theirs if extension})
    ]
