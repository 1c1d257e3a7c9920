"""Transactions of the engine."""

import asyncio

from sqlalchemy import text

from peal.db.engine import Database, driver_of


def test_a_transaction_that_was_left_open_swallows_no_write(postgres):
    async def run():
        database = Database(postgres.database(), connections=1)
        try:
            async with database.read() as connection:
                await (await driver_of(connection)).execute("BEGIN")
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO client (name, prefix, domain, create_date)"
                                              " VALUES ('A', '1', 'pbx.test', now())"))  # fmt: skip
            await database.engine.dispose()  # as a crash would: what is not committed is gone
            async with database.read() as connection:
                return (await connection.execute(text("SELECT name FROM client"))).scalars().all()
        finally:
            await database.close()

    assert asyncio.run(run()) == ["A"]
