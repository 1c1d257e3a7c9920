"""What can be done with outside numbers. The caller has opened the transaction and locked the client."""

from collections.abc import Mapping
from typing import Any

from peal.audit import changes
from peal.bundles import repository as bundles
from peal.clients import repository as clients
from peal.db.work import Work
from peal.errors import BadRequest, FieldError, bad_field
from peal.extensions.tables import extension
from peal.numbers import repository
from peal.numbers.model import canonical

Row = dict[str, Any]
UNBOUND = {"extension_id": None, "message_extension_id": None}


async def create(work: Work, values: Mapping[str, Any]) -> Row:
    """Make a number, for an administrator."""
    values = {**values, "name": canonical(values["name"])}
    await clients.lock_owners(work, values["client_id"])
    if await repository.named(work, values["name"]):
        raise bad_field("name", f"{values['name']} is taken")
    made = await repository.add(work, values)
    await work.audit("did:create", values["client_id"], made, None, values)
    await changes.log(work, "did", values["name"], values["client_id"])
    return await repository.one(work, made)


async def change(work: Work, did_id: int, sent: Mapping[str, Any]) -> Row:
    """Change a number, for an administrator; one that is given to another client is bound to nothing."""
    before = await repository.one(work, did_id)
    owner = before["client_id"]
    await clients.lock_owners(work, sent.get("client_id", owner), now=owner)
    row = await repository.one(work, did_id)
    if row["client_id"] != owner:
        raise bad_field("client_id", "somebody else has just changed it")
    values = {name: value for name, value in sent.items() if row[name] != value}
    if "client_id" in values:
        await _hide(work, did_id)
        values |= UNBOUND
    return await _set(work, row, values)


async def remove(work: Work, did_id: int) -> None:
    """Delete a number; nobody shows it any more."""
    await clients.lock_owners(work, None, now=(await repository.one(work, did_id))["client_id"])
    row = await repository.one(work, did_id)
    await _hide(work, did_id)
    await repository.remove(work, did_id)
    await work.audit("did:delete", row["client_id"], did_id, {"name": row["name"]})
    await changes.log(work, "did", row["name"], row["client_id"])


async def bind(work: Work, client_id: int, did_id: int, sent: Mapping[str, Any]) -> Row:
    """Bind a client's number to extensions of the client, or unbind it."""
    row = await repository.one(work, did_id, client_id)
    errors = [
        FieldError(name, f"{sent[name]} does not exist")
        for name in UNBOUND
        if sent.get(name) is not None and not await repository.has_extension(work, client_id, sent[name])
    ]
    if errors:
        raise BadRequest("; ".join(f"{e.field}: {e.message}" for e in errors), errors=errors)
    return await _set(work, row, {name: value for name, value in sent.items() if row[name] != value})


async def release_extension(work: Work, extension_id: int) -> None:
    """Unbind the numbers of an extension that goes."""
    for row in await repository.naming(work, extension_id):
        await _set(work, row, {name: None for name in UNBOUND if row[name] == extension_id})


async def release_client(work: Work, client_id: int) -> None:
    """Take back the numbers of a client that goes: they are of nobody then."""
    for did_id in await repository.ids_of_client(work, client_id):
        row = await repository.one(work, did_id)
        await _hide(work, did_id)
        await _set(work, row, {"client_id": None, **UNBOUND})


async def set_ani(
    work: Work, client_id: int, extension_id: int | None, sent: str | None, *, any_number: bool
) -> str | None:
    """Say which number the calls of an extension, or (None) of a client, show; return it.

    Raises:
        BadRequest: `ani_not_owned`, unless `any_number` (an administrator allows it by setting it).
    """
    number = None if sent is None else canonical(sent)
    before = await repository.shown(work, client_id, extension_id)
    if number == before:
        return number
    if number is None:
        await repository.forget(work, client_id, extension_id)
    else:
        did_id = await _owned(work, client_id, number, any_number=any_number)
        await repository.show(work, client_id, extension_id, number, did_id)
    noun, object_id = ("client", client_id) if extension_id is None else ("extension", extension_id)
    await work.audit(f"{noun}:ani", client_id, object_id, {"ani_number": before}, {"ani_number": number})
    await _log_ani(work, client_id, extension_id)
    return number


async def _owned(work: Work, client_id: int, number: str, *, any_number: bool) -> int | None:
    row = await repository.named(work, number)
    if row is not None and row["client_id"] == client_id:
        return int(row["id"])
    if any_number:
        return None
    reason = f"{number} is no number of this client"
    raise BadRequest(
        f"ani_number: {reason}", status="ani_not_owned", errors=[FieldError("ani_number", reason)]
    )


async def _hide(work: Work, did_id: int) -> None:
    """Let nobody show a number any more."""
    for row in await repository.showing(work, did_id):
        await set_ani(work, row["client_id"], row["extension_id"], None, any_number=False)


async def _set(work: Work, row: Row, values: Mapping[str, Any]) -> Row:
    if not values:
        return row
    await repository.change(work, row["id"], values)
    owner = values.get("client_id", row["client_id"]) or row["client_id"]
    await work.audit("did:change", owner, row["id"], {name: row[name] for name in values}, values)
    await changes.log(work, "did", row["name"], owner)
    return await repository.one(work, row["id"])


async def _log_ani(work: Work, client_id: int, extension_id: int | None) -> None:
    if extension_id is None:
        await changes.log(work, "client", client_id, client_id)
    elif await repository.bundle_of(work, extension_id) == extension_id:
        await bundles.log_bundle(work, extension_id)
    else:
        await bundles.log_routing(work, extension.c.id == extension_id)
