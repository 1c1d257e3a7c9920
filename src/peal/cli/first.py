"""The first start: a demo client with a bundle that phones can register for at once."""

import secrets
from collections.abc import Collection
from typing import Any

from peal.bundles import service as bundles
from peal.clients import service as clients
from peal.db.work import Work
from peal.extensions import service as extensions
from peal.kit.numbers import full_name
from peal.oauth import service as oauth
from peal.phones import service as phones
from peal.phones.model import GENERATE
from peal.users import service as users

DOMAIN = "pbx.example"
"""Of the demo client. No DNS need know it: phones are told the switch's address as their proxy."""
LABELS = {0: "Desk phone", 1: "Softphone", 2: "Mobile", 100: "Colleague"}
"""By number, counted from the main one's: 100, or a later hundred if one of them is an emergency number."""


async def start(work: Work, emergency: Collection[str]) -> dict[str, Any]:
    """Make it, if there is no client yet; return all credentials, in clear for the only time."""
    if await clients.count(work):
        return {}
    admin_password, password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    await users.create(work, users.NewUser("admin", admin_password))
    client = await clients.create(work, {"name": "Demo", "prefix": "0001", "domain": DOMAIN})
    await users.create(work, users.NewUser("demo", password, client["id"]))
    admin_keys = await oauth.register(work, oauth.NewApplication("admin", "First administrator"))
    keys = await oauth.register(work, oauth.NewApplication("demo", "Demo"))
    return {
        "admin_login": "admin",
        "admin_password": admin_password,
        "admin_client_id": admin_keys["client_id"],
        "admin_client_secret": admin_keys["client_secret"],
        "demo_client": client["id"],
        "demo_login": "demo",
        "demo_password": password,
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "sip_domain": DOMAIN,
        **await _phones(work, client, emergency),
    }


async def _phones(work: Work, client: dict[str, Any], emergency: Collection[str]) -> dict[str, Any]:
    """Make the extensions and the bundle; return what each phone must be told."""
    main = next(n for n in range(100, 1000, 100) if not {str(n + more) for more in LABELS} & set(emergency))
    ids, told = {}, {}
    for number, label in ((str(main + more), label) for more, label in LABELS.items()):
        row = {"name": number, "type": "phone", "status": "active", "label": label}
        ids[number] = (await extensions.create(work, client["id"], row, emergency=emergency))["id"]
        changed = await phones.change(work, await phones.get(work, ids[number]), {"password": GENERATE})
        told[f"phone_{number}"] = {
            "login": full_name(client["prefix"], number),
            "password": changed["password"],
        }
    first, *associated, _ = ids.values()
    await bundles.associate(work, first, associated, limit=len(associated), is_admin=False)
    return told
