"""What all tables share: one MetaData, names for constraints, the column types of both databases."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData

from peal.kit import dates

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")
"""64 bits on both; SQLite numbers only INTEGER keys by itself."""


def id_column() -> Column[int]:
    """Return the key of a table; ids are never used twice (`sqlite_autoincrement` on the table)."""
    return Column("id", Id, primary_key=True, autoincrement=True)


def created_column(name: str = "create_date") -> Column[Any]:
    """Return the column of the moment of creation, UTC."""
    return Column(name, DateTime, nullable=False, default=dates.now)
