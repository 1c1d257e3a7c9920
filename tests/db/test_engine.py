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


# Break: engine.py, _cancelled_as_told: `raise` only.
def test_who_is_cancelled_while_the_database_does_not_answer_is_told_that_and_no_failure(postgres):
    url = postgres.database()

    async def run():
        holder, waiter = Database(url, connections=1), Database(url, connections=1)
        async with holder.write() as lock:
            await lock.execute(text("LOCK TABLE client"))

            async def wait():
                async with waiter.write() as connection:
                    waiting.set()
                    await connection.execute(text("SELECT count(*) FROM client"))

            waiting = asyncio.Event()
            task = asyncio.create_task(wait())
            await waiting.wait()
            while not await _is_locked_out(lock):
                pass
            task.cancel()
            await asyncio.wait([task])
        await waiter.close()
        await holder.close()
        return task.cancelled()

    assert asyncio.run(run())


async def _is_locked_out(connection):
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'client'::regclass AND NOT granted"
    return (await connection.execute(text(query))).scalar_one() == 1
