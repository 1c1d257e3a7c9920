"""What can be done with a phone. The caller has opened the transaction and locked the client."""

from collections.abc import Mapping
from typing import Any

from peal.bundles.fields import NAMES
from peal.catalogue import references
from peal.db.work import Work
from peal.errors import extension_not_found
from peal.events import outbox
from peal.events.notice import status_change
from peal.extensions import repository as extension_repository
from peal.extensions import service as extensions
from peal.kit import dates
from peal.kit.numbers import full_name
from peal.phones import model, repository


async def get(work: Work, extension_id: int) -> dict[str, Any]:
    """Return a phone's row.

    Raises:
        NotFound: the extension is of another type.
    """
    row = await repository.one(work, extension_id)
    if row is None:
        raise extension_not_found()
    return row


async def change(work: Work, row: dict[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Set the fields given of the phone `row`, synchronised ones for its whole bundle; return the row.

    The row's `password` is in clear where this change has set it: nobody sees it again.
    """
    values = {name: value for name, value in sent.items() if name != "password" and row[name] != value}
    await references.check(work, row["client_id"], values)
    password, hashes = _password(row, sent)
    own = {name: value for name, value in values.items() if name not in NAMES} | hashes
    if own:
        await repository.change(work, row["extension_id"], own)
    await extensions.share(work, row["bundle_id"], values)
    if "call_status_id" in values:
        await _tell_status(work, row, values["call_status_id"])
    if values or hashes:
        await _record(work, row, values, password_set=bool(hashes))
    return {**row, **values, "password": password}


def _password(row: Mapping[str, Any], sent: Mapping[str, Any]) -> tuple[str | None, dict[str, str]]:
    password = sent.get("password")
    if password is None:
        return None, {}
    if password == model.GENERATE:
        password = model.new_password()
    return password, model.ha1(full_name(row["prefix"], row["number"]), row["domain"], password)


async def _tell_status(work: Work, row: Mapping[str, Any], new_id: int | None) -> None:
    """Tell that the call status has changed: of a bundle as the main extension's."""
    main = await extension_repository.one(work, row["bundle_id"])
    await outbox.tell_status(
        work.connection,
        row["client_id"],
        row["bundle_id"],
        status_change(main, row["call_status_id"], new_id, dates.now()),
    )


async def _record(work: Work, row: Mapping[str, Any], values: dict[str, Any], *, password_set: bool) -> None:
    old = {name: row[name] for name in values}
    new = values | ({"password": "set"} if password_set else {})
    await work.audit("phone:change", row["client_id"], row["extension_id"], old, new)
    await extensions.log_change(work, row["extension_id"], row["bundle_id"], values)
