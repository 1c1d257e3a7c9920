"""Phones in the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select, update

from peal.bundles.fields import SYNCHRONISED
from peal.bundles.tables import bundle
from peal.clients.tables import client
from peal.db.prepared import Prepared
from peal.db.work import Work
from peal.extensions.tables import extension
from peal.phones.tables import phone

_SHARED = [bundle.c[field.name] for field in SYNCHRONISED if field.resource == "phone"]
_MEMBER = extension.alias("member")
_ONE = Prepared(
    select(
        phone,
        *_SHARED,
        extension.c.bundle_id,
        extension.c.number,
        client.c.prefix,
        client.c.domain,
        _MEMBER.c.id.label("member_id"),
    )
    .join(extension, extension.c.id == phone.c.extension_id)
    .join(bundle, bundle.c.id == extension.c.bundle_id)
    .join(client, client.c.id == extension.c.client_id)
    .join(_MEMBER, _MEMBER.c.bundle_id == extension.c.bundle_id)
    .where(phone.c.extension_id == bindparam("extension_id"))
    .order_by(_MEMBER.c.position)
)


async def one(work: Work, extension_id: int) -> dict[str, Any] | None:
    """Return a phone with its synchronised fields, number, prefix, domain and bundle; None: of another type.

    One statement: nobody sees a bundle with the values from before.
    """
    rows = await work.fetch(_ONE, extension_id=extension_id)
    return {**rows[0], "bundle_list": [row["member_id"] for row in rows[1:]]} if rows else None


async def change(work: Work, extension_id: int, own: Mapping[str, Any]) -> None:
    """Update the phone's own columns."""
    await work.execute(update(phone).where(phone.c.extension_id == extension_id).values(**own))
