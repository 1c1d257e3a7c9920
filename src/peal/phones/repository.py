"""Phones in the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update

from peal.bundles.fields import SYNCHRONISED
from peal.bundles.tables import bundle
from peal.clients.tables import client
from peal.db.work import Work
from peal.extensions.tables import extension
from peal.phones.tables import phone

_SHARED = [bundle.c[field.name] for field in SYNCHRONISED if field.resource == "phone"]
_QUERY = (
    select(phone, *_SHARED, extension.c.bundle_id, extension.c.number, client.c.prefix, client.c.domain)
    .join(extension, extension.c.id == phone.c.extension_id)
    .join(bundle, bundle.c.id == extension.c.bundle_id)
    .join(client, client.c.id == extension.c.client_id)
)


async def one(work: Work, extension_id: int) -> dict[str, Any] | None:
    """Return a phone with its synchronised fields, number, prefix and domain; None: of another type."""
    row = (await work.execute(_QUERY.where(phone.c.extension_id == extension_id))).mappings().first()
    return None if row is None else dict(row)


async def change(work: Work, extension_id: int, own: Mapping[str, Any]) -> None:
    """Update the phone's own columns."""
    await work.execute(update(phone).where(phone.c.extension_id == extension_id).values(**own))
