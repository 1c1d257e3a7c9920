"""What can be done with extensions. The caller has opened the transaction and locked the client."""

from collections.abc import Collection, Mapping
from typing import Any

from peal.bundles import repository as bundles
from peal.bundles import service as bundle_service
from peal.bundles.fields import NAMES
from peal.catalogue import references
from peal.db.work import Work
from peal.errors import bad_field
from peal.extensions import repository
from peal.extensions.tables import extension
from peal.kit.numbers import short_number
from peal.numbers import service as numbers


async def create(
    work: Work,
    client_id: int,
    values: Mapping[str, Any],
    extension_id: int | None = None,
    *,
    emergency: Collection[str],
) -> dict[str, Any]:
    """Make an extension from the fields given; return its row. Its number must not be an `emergency` one."""
    number = await _free_number(work, client_id, values["name"])
    if number in emergency:
        raise bad_field("name", f"{number} is an emergency number")
    if extension_id is not None and await repository.id_taken(work, extension_id):
        raise bad_field("id", f"{extension_id} is taken")
    _refuse_groups(values)
    await references.check(work, client_id, values)
    shared = {name: value for name, value in values.items() if name in NAMES}
    own = {k: v for k, v in values.items() if k not in NAMES and k not in ("name", "extension_group_id")}
    new_id = await repository.add(work, client_id, {**own, "number": number}, shared, extension_id)
    await work.audit("extension:create", client_id, new_id, None, dict(values))
    await bundles.log_routing(work, extension.c.id == new_id)
    return await repository.one(work, new_id)


async def change(work: Work, row: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields given of the extension `row`, synchronised ones for its whole bundle; return the row."""
    extension_id = row["id"]
    _refuse_groups(values)
    values = {k: v for k, v in values.items() if k != "extension_group_id" and row[k] != v}
    if not values:
        return row
    await references.check(work, row["client_id"], values)
    own = {name: value for name, value in values.items() if name not in NAMES}
    if own:
        await repository.change(work, extension_id, own)
    await share(work, row["bundle_id"], values)
    await work.audit(
        "extension:change", row["client_id"], extension_id, {name: row[name] for name in values}, values
    )
    await log_change(work, extension_id, row["bundle_id"], values)
    return {**row, **values}


async def remove(work: Work, extension_id: int) -> None:
    """Delete an extension; its bundle loses it, or dissolves if it is the main one."""
    row = await repository.one(work, extension_id)
    await bundle_service.detach(work, extension_id)
    await numbers.release_extension(work, extension_id)
    await bundles.log_routing(work, extension.c.id == extension_id)
    await repository.remove(work, extension_id)
    await work.audit(
        "extension:delete", row["client_id"], extension_id, {"name": row["number"], "type": row["type"]}
    )


async def share(work: Work, bundle_id: int, values: Mapping[str, Any]) -> None:
    """Set the synchronised ones of `values` for the whole bundle."""
    shared = {name: value for name, value in values.items() if name in NAMES}
    if shared:
        await bundles.set_shared(work, bundle_id, shared)


async def log_change(work: Work, extension_id: int, bundle_id: int, changed: Mapping[str, Any]) -> None:
    """Write the change-log rows of all whose routing a change of these fields may concern."""
    if extension_id == bundle_id or not NAMES.isdisjoint(changed):
        await bundles.log_bundle(work, bundle_id)
    else:
        await bundles.log_routing(work, extension.c.id == extension_id)


async def _free_number(work: Work, client_id: int, name: str) -> str:
    prefix, _, digits = await repository.client_numbering(work, client_id)
    number = short_number(name, prefix)
    if not (number.isascii() and number.isdigit() and len(number) == digits):
        raise bad_field("name", f"must be {digits} digits, with or without the prefix {prefix}*")
    if await repository.number_taken(work, client_id, number):
        raise bad_field("name", f"{number} is taken")
    return number


def _refuse_groups(values: Mapping[str, Any]) -> None:
    if values.get("extension_group_id") is not None:
        raise bad_field("extension_group_id", f"{values['extension_group_id']} does not exist")
