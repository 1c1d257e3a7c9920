"""Many rows in one statement."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from peal.db.engine import driver_of, json_text

Rows = Sequence[Mapping[str, Any]]
Names = tuple[str, ...]


async def insert(connection: AsyncConnection, table: Table, rows: Rows, *, replace: bool) -> None:
    """Insert rows; those whose key is there are replaced, or stay as they are.

    PostgreSQL gets them as one value: a statement for each row costs it several times as much. What is
    there as it is to be is not written again.
    """
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        driver = await driver_of(connection)
        await driver.execute(_postgresql(table, replace=replace), json_text(rows))
        return
    keys, others = _columns(table)
    statement = sqlite.insert(table)
    if replace:
        new = {name: statement.excluded[name] for name in others}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=new)
    else:
        statement = statement.on_conflict_do_nothing(index_elements=keys)
    await connection.execute(statement, list(rows))


async def add(
    connection: AsyncConnection, table: Table, rows: Rows, *, key: Names, returning: Names
) -> list[dict[str, Any]]:
    """Insert the rows whose `key` is not there yet; return some columns of those, in their order.

    All rows have the same columns; the table numbers them.
    """
    if connection.dialect.name == "postgresql":
        driver = await driver_of(connection)
        statement = _new_rows(table, tuple(rows[0]), key, returning)
        return [dict(row) for row in await driver.fetch(statement, json_text(rows))]
    new = sqlite.insert(table).values(list(rows)).on_conflict_do_nothing(index_elements=key)
    result = await connection.execute(new.returning(*(table.c[name] for name in returning)))
    return [dict(row) for row in result.mappings()]


@cache
def _new_rows(table: Table, columns: Names, key: Names, returning: Names) -> str:
    names = _listed(columns)
    return f"""
        INSERT INTO "{table.name}" ({names})
        SELECT {names} FROM json_populate_recordset(NULL::"{table.name}", $1::text::json)
        ON CONFLICT ({_listed(key)}) DO NOTHING RETURNING {_listed(returning)}
        """  # noqa: S608 - names of ours


@cache
def _postgresql(table: Table, *, replace: bool) -> str:
    keys, others = _columns(table)
    names, new = _listed(keys + others), f"ROW ({_listed(others, 'excluded.')})"
    old = f"ROW ({_listed(others, 'kept.')})"
    action = f"UPDATE SET ({_listed(others)}) = {new} WHERE {old} IS DISTINCT FROM {new}"
    return f"""
        INSERT INTO "{table.name}" AS kept ({names})
        SELECT {names} FROM json_populate_recordset(NULL::"{table.name}", $1::text::json)
        ON CONFLICT ({_listed(keys)}) DO {action if replace else "NOTHING"}
        """  # noqa: S608 - names of ours


def _listed(names: Iterable[str], of: str = "") -> str:
    return ", ".join(f'{of}"{name}"' for name in names)


def _columns(table: Table) -> tuple[list[str], list[str]]:
    """Return the names of the key's columns, and of all others."""
    keys = [column.name for column in table.primary_key]
    return keys, [column.name for column in table.c if column.name not in keys]
