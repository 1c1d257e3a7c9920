"""What can be done with calls. The caller has opened the transaction."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.calls import repository
from peal.calls.event import Event, Known
from peal.calls.model import Call, Leg, Party, assemble
from peal.calls.repository import Address, Found, Row


class Told(msgspec.Struct, frozen=True):
    """An event as it was told: with its id, and all that its text holds."""

    id: str
    event: Event
    body: dict[str, Any]


async def take_in(connection: AsyncConnection, told: Sequence[Told]) -> None:
    """Keep events, with what is known of their numbers now, and bring their calls up to date."""
    known = await _known(connection, told)
    await repository.keep(connection, [_event_row(each, known.get(each.id)) for each in told])
    await take(connection, {each.event.call for each in told})


async def take(connection: AsyncConnection, call_ids: Collection[str]) -> None:
    """Make calls anew from their events."""
    stories = await repository.events_of(connection, call_ids)
    calls = [call for events in stories.values() if (call := assemble(events))]
    await repository.write(
        connection,
        [_call_row(call) for call in calls],
        [_leg_row(call, leg) for call in calls for leg in call.legs],
        [row for call in calls for row in _extension_rows(call)],
    )


async def _known(connection: AsyncConnection, told: Sequence[Told]) -> dict[str, Known]:
    """Return what is known of events, by their ids."""
    parties = {each.id: each.event for each in told if each.event.from_}
    addresses = {address for event in parties.values() for address in _addresses(event)}
    extensions = await repository.look_up(connection, addresses)
    owners = await repository.owners(connection, {event.did for event in parties.values() if event.did})
    found = ((event_id, _known_of(event, extensions, owners)) for event_id, event in parties.items())
    return {event_id: known for event_id, known in found if known}


def _addresses(event: Event) -> list[Address]:
    numbers = (event.from_, event.from_main, event.to, event.to_main)
    return [(event.domain, number) for number in numbers if "*" in number]


def _known_of(event: Event, found: dict[Address, Found], owners: dict[str, int]) -> Known | None:
    """Return what is known of an event's numbers; None: nobody has them any more."""
    mine = {
        number: found[event.domain, number]
        for _, number in _addresses(event)
        if (event.domain, number) in found
    }
    called = mine.get(event.to_main) if event.to_main else None
    members = {
        number: each
        for (domain, number), each in found.items()
        if called and domain == event.domain and each.bundle_id == called.bundle_id
    }
    client_id = next((each.client_id for each in mine.values()), owners.get(event.did))
    if client_id is None:
        return None
    extensions = {number: each.extension for number, each in (mine | members).items()}
    return Known(client_id, extensions, list(members) if len(members) > 1 else [])


def _event_row(told: Told, known: Known | None) -> Row:
    more = {"known": msgspec.to_builtins(known)} if known else {}
    event = told.event
    return {
        "id": told.id,
        "call_id": event.call,
        "seq": event.seq,
        "at": event.moment,
        "body": told.body | more,
    }


def _call_row(call: Call) -> Row:
    account, outcome = call.account, call.outcome
    return {
        "id": call.id,
        "client_id": call.client_id,
        "flow": call.flow,
        "domain": call.domain,
        "init_time": call.init,
        "bridged_time": call.answered,
        "hangup_time": call.ended,
        "from_username": _shown(call, call.caller),
        "from_screen_name": call.caller_name,
        "to_username": call.called.own_number,
        "bridged_username": call.answered_by,
        "dialled": call.dialled,
        "did_number": call.did,
        "ani_number": call.ani,
        "extension_id": account.extension.id if account.extension else None,
        "extension_number": account.number,
        "extension_type": account.extension.type if account.extension else None,
        "result": outcome.result if outcome else None,
        "hangup_cause": outcome.cause if outcome else None,
        "hangup_disposition": outcome.disposition if outcome else None,
    }


def _shown(call: Call, party: Party) -> str:
    """Return the number that the other side sees: between members each has its own."""
    return party.own_number if call.is_between_members else party.number


def _leg_row(call: Call, leg: Leg) -> Row:
    outcome = leg.outcome
    return {
        "call_id": call.id,
        "client_id": call.client_id,
        "n": leg.n,
        "flow": leg.flow,
        "init_time": leg.init,
        "bridged_time": leg.answered,
        "hangup_time": leg.ended,
        "extension_id": leg.extension.id if leg.extension else None,
        "extension_number": leg.number,
        "bundle_extension_id": leg.bundle.id if leg.bundle else None,
        "bundle_info": leg.bundle_info,
        "transfer_reason": leg.transfer_reason,
        "result": outcome.result if outcome else None,
        "hangup_cause": outcome.cause if outcome else None,
        "hangup_disposition": outcome.disposition if outcome else None,
    }


def _extension_rows(call: Call) -> list[Row]:
    """Return whose a call is: of both sides, of the phones that rang, and of their main extensions."""
    theirs = [call.caller.extension, call.caller.own, call.called.extension, call.called.own]
    theirs += [extension for leg in call.legs for extension in (leg.extension, leg.bundle)]
    ids = {extension.id for extension in theirs if extension}
    return [
        {
            "call_id": call.id,
            "client_id": call.client_id,
            "extension_id": extension_id,
            "init_time": call.init,
        }
        for extension_id in sorted(ids)
    ]
