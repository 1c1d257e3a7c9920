"""Transactions of administrators: `/admin/`. Everybody else is refused before one is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from peal.db import work as transactions
from peal.db.work import Work
from peal.errors import AccessDenied
from peal.http.principal import ApiRequest, actor


@asynccontextmanager
async def reading(request: ApiRequest) -> AsyncIterator[Work]:
    """Lend an administrator a connection that only reads."""
    _check(request)
    async with transactions.reading(request.app.state.database) as work:
        yield work


@asynccontextmanager
async def writing(request: ApiRequest) -> AsyncIterator[Work]:
    """Open the transaction of an administrator's request."""
    _check(request)
    async with transactions.writing(request.app.state.database, actor(request)) as work:
        yield work


def _check(request: ApiRequest) -> None:
    if not request.user.is_admin:
        raise AccessDenied()
