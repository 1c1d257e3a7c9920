"""Which field names what: a thing that is named must exist, belong to the client, and stay."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select, union

from peal.bundles.tables import bundle
from peal.clients.tables import client
from peal.db.work import Work
from peal.dialrules.tables import dial_rule
from peal.errors import BadRequest, FieldError, bad_fields
from peal.extensions.tables import extension
from peal.networks.tables import sip_network_permission
from peal.phones.tables import phone
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
"""Fields, wherever they stand, and the table of what they name."""

_HOLDERS = {
    bundle: extension.c.bundle_id == bundle.c.id,
    phone: extension.c.id == phone.c.extension_id,
    client: extension.c.client_id == client.c.id,
}
"""Tables with such fields, and which extensions a row of them concerns."""


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


def concerned(table: Table, object_id: int) -> ColumnElement[bool]:
    """Say which extensions the object concerns, by a field of theirs or of their client's."""
    queries: list[Select[Any]] = [
        select(extension.c.id).join(holder, on).where(holder.c[field] == object_id)
        for field, holder, on in _places(table)
    ]
    return extension.c.id.in_(union(*queries))


async def check_unused(work: Work, table: Table, object_id: int) -> None:
    """Look for a field that names the object.

    Raises:
        BadRequest: `still_used`, saying by what.
    """
    for field, holder, _ in _places(table):
        key = next(iter(holder.primary_key))
        query = select(key).where(holder.c[field] == object_id).order_by(key).limit(1)
        found = (await work.execute(query)).scalar()
        if found is not None:
            owner = "client" if holder is client else "extension"
            raise BadRequest(f"{object_id} is still used: {field} of {owner} {found}", status="still_used")


def _places(table: Table) -> Iterator[tuple[str, Table, Any]]:
    for field, named in REFERENCES.items():
        for holder, on in _HOLDERS.items():
            if named is table and field in holder.c:
                yield field, holder, on


async def _exists(work: Work, client_id: int, table: Table, object_id: int) -> bool:
    query = select(table.c.id).where(table.c.id == object_id, table.c.client_id == client_id)
    return (await work.execute(query)).first() is not None
