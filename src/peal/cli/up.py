"""`peal up`: everything, with one command."""

import secrets
from typing import Any

from peal.cli import serve, session
from peal.cli.output import Json, show
from peal.clients import service as clients
from peal.db.work import Actor, Work, writing
from peal.oauth import service as oauth
from peal.users import service as users


def up(as_json: Json = False) -> None:
    """Start Peal; on the first start make a demo client and print its credentials, once."""
    settings = session.load()

    async def prepare() -> dict[str, Any]:
        database = await session.open_database(settings)
        try:
            async with writing(database, Actor()) as work:
                return await _first_start(work) if await clients.count(work) == 0 else {}
        finally:
            await database.close()

    made = session.run_loop(prepare())
    base = serve.url(settings)
    urls = {"api": f"{base}/api/ver1.0/", "api_browser": f"{base}/api/ver1.0/client_api_explorer/"}
    show(
        {**urls, **made}, as_json=as_json, title="Peal is starting" + (" for the first time" if made else "")
    )
    serve.run(settings)


async def _first_start(work: Work) -> dict[str, Any]:
    admin_password, password = secrets.token_urlsafe(12), secrets.token_urlsafe(12)
    await users.create(work, users.NewUser("admin", admin_password))
    client = await clients.create(work, {"name": "Demo", "prefix": "0001", "domain": "pbx.example"})
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
    }
