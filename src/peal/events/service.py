"""What can be done with subscriptions. The caller has opened the transaction and locked the client."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from peal.db.work import Work
from peal.errors import NotFound, bad_field
from peal.events import model, repository, signature, target
from peal.events.repository import Owner, Row
from peal.events.tables import delivery
from peal.events.target import Networks
from peal.kit import dates


async def create(work: Work, owner: Owner, sent: Mapping[str, Any], allowed: Networks) -> Row:
    """Make a subscription; its row holds the secret."""
    _check(sent, allowed)
    values = {name: value for name, value in sent.items() if name != "url"}
    made = await repository.add(work, owner, sent["url"], {**values, "secret": signature.new_secret()})
    await work.audit("subscription:create", owner.client_id, made, None, _told(sent))
    return await repository.one(work, owner, made)


async def change(work: Work, row: Row, sent: Mapping[str, Any], allowed: Networks) -> Row:
    """Set what `sent` holds; a subscription that its subscriber has ended begins anew."""
    values = {name: value for name, value in sent.items() if row[name] != value}
    _check(values, allowed)
    if row["status"] == "disabled":
        values["status"] = "active"
    if values:
        await repository.change(work, row, values)
        old = _told({name: row[name] for name in values})
        await work.audit("subscription:change", row["client_id"], row["id"], old, _told(values))
    return {**row, **values}


async def remove(work: Work, owner: Owner, subscription_id: int | None = None) -> None:
    """Delete a subscription with what waits for it, or all of an owner's.

    Raises:
        NotFound: the owner has none of this id.
    """
    removed = await repository.remove(work, owner, subscription_id)
    if subscription_id is not None and not removed:
        raise NotFound()
    for each in removed:
        await work.audit("subscription:delete", owner.client_id, each)


async def rotate(work: Work, row: Row) -> Row:
    """Give a new secret; for a day the old one signs, too."""
    until = dates.now() + model.ROTATION
    values = {"secret": signature.new_secret(), "old_secret": row["secret"], "old_secret_until": until}
    await repository.change(work, row, values)
    await work.audit("subscription:rotate", row["client_id"], row["id"])
    return {**row, **values}


async def replay(work: Work, row: Row, delivery_id: int) -> Row:
    """Send one delivery again, whatever came of it; return it."""
    _check_active(row)
    await repository.send_again(work, row["id"], delivery.c.id == delivery_id)
    found = await repository.one_delivery(work, row["id"], delivery_id)
    await work.audit("subscription:replay", row["client_id"], row["id"], None, {"delivery_id": delivery_id})
    return found


async def replay_parked(work: Work, row: Row) -> int:
    """Send again all that was given up; return how many."""
    _check_active(row)
    count = await repository.send_again(work, row["id"], delivery.c.state == "parked")
    await work.audit("subscription:replay", row["client_id"], row["id"], None, {"parked": count})
    return count


def _check(sent: Mapping[str, Any], allowed: Networks) -> None:
    if "url" in sent:
        try:
            target.check_url(sent["url"], allowed)
        except target.Refused as error:
            raise bad_field("url", str(error)) from error


def _check_active(row: Row) -> None:
    if row["status"] == "disabled":
        raise bad_field("status", "the subscriber has ended this subscription; a PUT begins it anew")


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit says: of a URL no path and no query, where a secret may be."""
    parts = urlsplit(values.get("url", ""))
    shown = {"url": f"{parts.scheme}://{parts.netloc}/"} if "url" in values else {}
    return {**values, **shown}
