"""What a failure of the database means to the client that asked."""

from typing import Any, Literal

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Meaning = Literal["conflict", "value", "unavailable", "defect"]
"""`conflict`: a second one of a kind, or one still named by others; `value`: one that can't be stored;
`unavailable`: nobody's fault but the database's, asking again may help; `defect`: ours."""

_CONFLICT_STATES = ("23505", "23503")  # unique, foreign key
_VALUE_STATES = ("22",)
_UNAVAILABLE_STATES = (
    "08",  # connection
    "25006",  # read-only: a standby that was promoted elsewhere
    "40",  # serialization, deadlock
    "53",  # resources
    "55",  # not accepting connections, lock not available
    "57",  # shutdown, cancelled
    "58",  # input and output
)
_SQLITE_CONFLICTS = (2067, 1555, 787)  # unique, primary key, foreign key
_SQLITE_UNAVAILABLE = (5, 6, 8, 10, 13, 14)  # busy, locked, read-only, input and output, full, can't open

FAILURES = (
    DBAPIError,
    PoolTimeout,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""What the database and its drivers raise, with SQLAlchemy around it or without.

OSError as it is: a name of two addresses, both of which refuse, gives no ConnectionError.
"""


def meaning(error: BaseException) -> Meaning:
    """Return what `error`, one of `FAILURES`, means."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if state := getattr(origin, "sqlstate", None):
        return _of_state(state)
    if code := getattr(origin, "sqlite_errorcode", None):
        return _of_sqlite(code)
    if isinstance(getattr(origin, "__cause__", None) or origin, asyncpg.DataError):
        return "value"
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return "unavailable" if lost or _is_connection(origin) else "defect"


def _of_state(state: str) -> Meaning:
    if state in _CONFLICT_STATES:
        return "conflict"
    if state.startswith(_VALUE_STATES):
        return "value"
    return "unavailable" if state.startswith(_UNAVAILABLE_STATES) else "defect"


def _of_sqlite(code: int) -> Meaning:
    if code in _SQLITE_CONFLICTS:
        return "conflict"
    return "unavailable" if code & 0xFF in _SQLITE_UNAVAILABLE else "defect"


def _is_connection(origin: Any) -> bool:
    cause = getattr(origin, "__cause__", None)
    # the last is what the driver says where the server took its leave between two statements
    kinds = (PoolTimeout, asyncpg.InterfaceError, OSError, asyncpg.InternalClientError)
    return isinstance(origin, kinds) or isinstance(cause, kinds)
