"""What a field names must exist and belong to the client."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, select

from peal.db.work import Work
from peal.dialrules.tables import dial_rule
from peal.errors import FieldError, bad_fields
from peal.networks.tables import sip_network_permission
from peal.sounds.tables import sound
from peal.statuses.tables import call_status

REFERENCES: Mapping[str, Table] = {
    "dial_rule_id": dial_rule,
    "call_status_id": call_status,
    "ringback_sound": sound,
    "hold_music": sound,
    "announce_sound_upon_outgoing_call": sound,
    "announce_sound_upon_incoming_call": sound,
    "sip_network_permission_id": sip_network_permission,
}


async def check(work: Work, client_id: int, values: Mapping[str, Any]) -> None:
    """Look up what `values` name.

    Raises:
        BadRequest: naming every field whose object the client does not have.
    """
    errors = []
    for name, value in values.items():
        if (
            value is not None
            and name in REFERENCES
            and not await _exists(work, client_id, REFERENCES[name], value)
        ):
            errors.append(FieldError(name, f"{value} does not exist"))
    if errors:
        raise bad_fields(errors)


async def _exists(work: Work, client_id: int, table: Table, object_id: int) -> bool:
    query = select(table.c.id).where(table.c.id == object_id, table.c.client_id == client_id)
    return (await work.execute(query)).first() is not None
