"""What can be done with trunks, by administrators. The caller has opened the transaction."""

from collections.abc import Mapping
from typing import Any

from peal.audit import changes
from peal.clients import repository as clients
from peal.db.work import Work
from peal.errors import bad_field
from peal.networks.model import canonical
from peal.numbers.model import canonical as canonical_number
from peal.trunks import model, repository

Row = dict[str, Any]
NEW: Row = {
    "client_id": None,
    "status": "active",
    "priority": 10,
    "transport": "udp",
    "login": None,
    "realm": None,
    "ha1_md5": None,
    "register": False,
    "number": None,
}


async def create(work: Work, sent: Mapping[str, Any]) -> Row:
    """Make a trunk."""
    await clients.lock_owners(work, sent.get("client_id"))
    row = {**NEW, "port": model.PORTS[sent.get("transport", "udp")], "networks": []}
    row["networks"] = model.networks_of(sent["host"])
    values = _checked(row, sent)
    made = await repository.add(work, {**row, **values})
    await _record(work, "trunk:create", made, {}, {**values}, values.get("client_id"))
    return await repository.one(work, made)


async def change(work: Work, trunk_id: int, sent: Mapping[str, Any]) -> Row:
    """Set the fields given."""
    owner = (await repository.one(work, trunk_id))["client_id"]
    await clients.lock_owners(work, sent.get("client_id", owner), now=owner)
    row = await _locked(work, trunk_id, owner)
    values = _checked(row, sent)
    values = {name: value for name, value in values.items() if row[name] != value}
    if not values:
        return row
    await repository.change(work, trunk_id, values)
    old = {name: row[name] for name in values}
    await _record(work, "trunk:change", trunk_id, old, values, row["client_id"])
    if "client_id" in values:
        await _log_owner(work, values["client_id"])
    return {**row, **values}


async def remove(work: Work, trunk_id: int) -> None:
    """Delete a trunk; calls that are up go on."""
    owner = (await repository.one(work, trunk_id))["client_id"]
    await clients.lock_owners(work, None, now=owner)
    row = await _locked(work, trunk_id, owner)
    await repository.remove(work, trunk_id)
    await _record(work, "trunk:delete", trunk_id, {"name": row["name"]}, None, row["client_id"])


async def release_client(work: Work, client_id: int) -> None:
    """Delete the trunks of a client that goes."""
    for trunk_id in await repository.ids_of_client(work, client_id):
        await remove(work, trunk_id)


async def _locked(work: Work, trunk_id: int, owner: int | None) -> Row:
    """Lock a trunk whose owner is locked: always in this order, as who deletes a client does."""
    row = await repository.one(work, trunk_id, lock=True)
    if row["client_id"] != owner:
        raise bad_field("client_id", "somebody else has just changed it")
    return row


def _checked(row: Mapping[str, Any], sent: Mapping[str, Any]) -> Row:
    values = dict(sent)
    if "networks" in values:
        try:
            values["networks"] = canonical(values["networks"])
        except ValueError as error:
            raise bad_field("networks", str(error)) from error
    if values.get("number") is not None:
        values["number"] = canonical_number(values["number"])
    return _with_credentials(row, values)


def _with_credentials(row: Mapping[str, Any], values: Row) -> Row:
    """Put the hash in the password's place; it is good for one login in one realm."""
    password = values.pop("password", None)
    after = {**row, **values}
    if after["login"] is None:
        if password is not None:
            raise bad_field("login", "is required with a password")
        if after["register"]:
            raise bad_field("register", "needs a login")
        return {**values, "realm": None, "ha1_md5": None}
    after["realm"] = after["realm"] or after["host"]
    moved = any(after[name] != row.get(name) for name in ("login", "realm"))
    if password is None and moved:
        raise bad_field("password", "must be given again: what is kept is good for one login and realm")
    hashes = {} if password is None else model.credentials(after["login"], after["realm"], password)
    return {**values, "realm": after["realm"], **hashes}


async def _record(
    work: Work, action: str, trunk_id: int, old: Row, new: Row | None, client_id: int | None
) -> None:
    await work.audit(action, client_id, trunk_id, _told(old) or None, None if new is None else _told(new))
    await changes.log(work, "trunk", trunk_id, client_id)
    await _log_owner(work, client_id)


def _told(values: Row) -> Row:
    """Say what changed, of a password only that it did."""
    told = {name: value for name, value in values.items() if name != "ha1_md5"}
    return told | ({"password": "set"} if values.get("ha1_md5") else {})


async def _log_owner(work: Work, client_id: int | None) -> None:
    if client_id is None:
        await changes.log(work, "common", 0)
    else:
        await changes.log(work, "client", client_id, client_id)
