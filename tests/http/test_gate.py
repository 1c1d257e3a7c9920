"""What the gate remembers of tokens."""

import asyncio
from datetime import timedelta

from parts import peal
from sqlalchemy import delete, insert

from peal.cli.session import transact
from peal.db.engine import Database
from peal.http.gate import Tokens
from peal.kit import dates
from peal.kit.digests import digest
from peal.oauth import service as oauth
from peal.oauth.tables import token
from peal.users import service as users

BEARER = "x" * 30


def with_a_token(database, play):
    """Run `play` on a database that knows one token."""
    peal(database, "migrate")

    async def make(work):
        user_id = await users.create(work, users.NewUser("ann", "a long password"))
        keys = await oauth.register(work, oauth.NewApplication("ann", "Test"))
        app = await oauth.by_public_id(work, keys["client_id"])
        row = {"token_hash": digest(BEARER), "application_id": app["id"], "user_id": user_id}
        await work.execute(insert(token).values(row | {"expires_at": dates.now() + timedelta(hours=1)}))

    async def run():
        opened = Database(database, connections=2)
        try:
            await play(opened)
        finally:
            await opened.close()

    transact(database, make)
    asyncio.run(run())


async def revoke(opened):
    async with opened.write() as connection:
        await connection.execute(delete(token))


def test_a_token_is_remembered_until_all_are_forgotten(database):
    async def play(opened):
        tokens = Tokens(opened, seconds=60)
        assert (await tokens.principal(BEARER)).login == "ann"
        await revoke(opened)
        assert (await tokens.principal(BEARER)).login == "ann"
        tokens.forget()
        assert await tokens.principal(BEARER) is None

    with_a_token(database, play)


def test_what_was_being_read_when_all_are_forgotten_is_not_remembered(database):
    async def play(opened):
        tokens = Tokens(opened, seconds=60)
        reading = asyncio.create_task(tokens.principal(BEARER))
        await asyncio.sleep(0)  # it has begun, and waits for the database
        tokens.forget()
        assert (await reading).login == "ann"
        await revoke(opened)
        assert await tokens.principal(BEARER) is None

    with_a_token(database, play)
