"""Statements of the measured paths: written in Core like all others, compiled once (decision 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Insert, Select, Update
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from peal.db.engine import json_text

_DIALECT = PGDialect_asyncpg(json_serializer=json_text)  # type: ignore[no-untyped-call]


class Prepared:
    """A statement whose values are all named by `bindparam`.

    On PostgreSQL it goes straight to the driver, without the work that SQLAlchemy does for each
    execution; elsewhere SQLAlchemy runs it. JSON can be bound, not read.
    """

    def __init__(self, statement: Select[Any] | Insert | Update) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.statement = statement
        self._sql = str(compiled)
        self._names = list(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._binding = {
            name: bind
            for name in self._names
            if (bind := compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT))
        }

    async def fetch(
        self, driver: asyncpg.Connection, values: Mapping[str, Any]
    ) -> Sequence[Mapping[str, Any]]:
        """Run it; return the rows."""
        given = {**self._fixed, **values}
        arguments = [
            self._binding[name](given[name]) if name in self._binding else given[name] for name in self._names
        ]
        rows: Sequence[Mapping[str, Any]] = await driver.fetch(self._sql, *arguments)
        return rows
