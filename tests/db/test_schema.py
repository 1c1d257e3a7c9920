"""What the model promises, the database enforces too."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from asyncpg import IntegrityConstraintViolationError
from parts import peal
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from peal.cli.session import run_loop, transact
from peal.clients import service as clients
from peal.db.engine import Database
from peal.db.migrate import SchemaOutdated, config, head, migrate, require_current
from peal.db.tables import metadata
from peal.extensions import service as extensions


def on(database, action):
    """Run `action(connection)` in a transaction of a migrated database."""

    async def run():
        opened = Database(database)
        try:
            if opened.is_sqlite:
                await migrate(opened)
            async with opened.write() as connection:
                return await action(connection)
        finally:
            await opened.close()

    return run_loop(run())


def test_the_migrations_make_the_tables_that_the_code_names(database):
    async def differences(connection):
        return await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))

    assert on(database, differences) == []


def test_the_newest_file_is_the_newest_revision():
    assert ScriptDirectory.from_config(config()).get_current_head() == head()


def test_migrating_twice_changes_nothing(database):
    assert peal(database, "migrate") == peal(database, "migrate")


def test_postgresql_must_be_migrated_by_hand(postgres, tmp_path):
    postgres._sql("CREATE DATABASE empty")

    async def check():
        opened = Database(postgres.url("empty"))
        try:
            await require_current(opened)
        finally:
            await opened.close()

    with pytest.raises(Exception, match="run peal migrate") as failure:
        run_loop(check())
    assert isinstance(failure.value.__cause__, SchemaOutdated)


@pytest.fixture
def three(database):
    """Ids of a main extension, one associated with it, and one that stands alone; another client's too."""

    async def make(work):
        made = []
        for prefix in ("1", "2"):
            client = await clients.create(work, {"name": "A", "prefix": prefix, "domain": "pbx.test"})
            rows = [{"name": number, "type": "phone"} for number in ("100", "101", "102")]
            made += [(await extensions.create(work, client["id"], row, emergency=()))["id"] for row in rows]
        await work.execute(text(f"UPDATE extension SET bundle_id={made[0]}, position=1 WHERE id={made[1]}"))
        await work.execute(text(f"DELETE FROM bundle WHERE id={made[1]}"))
        return made

    return transact(database, make)


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(
            "UPDATE extension SET bundle_id={alone}, position=1 WHERE id={main}", id="main-elsewhere"
        ),
        pytest.param(
            "UPDATE extension SET bundle_id={one}, position=1 WHERE id={alone}", id="associated-as-main"
        ),
        pytest.param(
            "UPDATE extension SET bundle_id={foreign}, position=1 WHERE id={alone}", id="foreign-client"
        ),
        pytest.param("UPDATE extension SET position=1 WHERE id={alone}", id="main-with-a-position"),
        pytest.param("UPDATE extension SET position=0 WHERE id={one}", id="associated-without-a-position"),
        pytest.param("DELETE FROM bundle WHERE id={main}", id="members-without-a-bundle"),
        pytest.param("UPDATE extension SET type='queue' WHERE id={one}", id="not-a-phone"),
        pytest.param("UPDATE extension SET number='102' WHERE id={main}", id="number-twice"),
        pytest.param("UPDATE bundle SET dial_rule_id=7 WHERE id={main}", id="unknown-dial-rule"),
        pytest.param("UPDATE bundle SET status='maybe' WHERE id={main}", id="unknown-status"),
    ],
)
def test_a_broken_promise_is_refused(database, three, statement):
    main, one, alone, foreign, *_ = three

    async def run(connection):
        await connection.execute(text(statement.format(main=main, one=one, alone=alone, foreign=foreign)))

    with pytest.raises(Exception, match="the database") as failure:
        on(database, run)
    assert isinstance(failure.value.__cause__, (IntegrityError, IntegrityConstraintViolationError))


def test_the_id_of_an_extension_is_never_used_twice(database, three):
    async def remove_and_make(work):
        await extensions.remove(work, three[-1])
        client_id = (await work.execute(text("SELECT max(id) FROM client"))).scalar_one()
        return (await extensions.create(work, client_id, {"name": "109", "type": "phone"}, emergency=()))[
            "id"
        ]

    assert transact(database, remove_and_make) > max(three)


def test_the_id_of_a_client_is_never_used_twice(database):
    async def make(work):
        return (await clients.create(work, {"name": "A", "prefix": "9", "domain": "pbx.test"}))["id"]

    async def remove_and_make(work):
        gone = await make(work)
        await clients.remove(work, gone)
        return await make(work), gone

    made, gone = transact(database, remove_and_make)
    assert made > gone
