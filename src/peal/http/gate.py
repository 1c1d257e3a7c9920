"""The gate of the API: who asks, how often, and whether this token may write at all."""

import time
from collections import OrderedDict
from typing import Any

from litestar import Request
from litestar.handlers import BaseRouteHandler
from sqlalchemy import select

from peal.clients.tables import client
from peal.db.engine import Database
from peal.db.work import reading
from peal.errors import NotFound, Unauthorized, bad_field, call_api_only, read_only_user, user_blocked
from peal.http.principal import Principal
from peal.kit import dates
from peal.kit.digests import digest
from peal.oauth.tables import application, token
from peal.users.tables import user

CACHED_TOKENS = 10_000

_BY_TOKEN = (
    select(
        user.c.id.label("user_id"),
        user.c.login,
        user.c.role,
        user.c.access,
        user.c.status,
        client.c.status.label("client_status"),
        user.c.client_id,
        user.c.extension_id,
        application.c.id.label("application_id"),
        application.c.access.label("application_access"),
        application.c.rate_limit,
        token.c.expires_at,
        token.c.token_hash,
    )
    .select_from(token)
    .join(application, application.c.id == token.c.application_id)
    .join(user, user.c.id == token.c.user_id)
    .outerjoin(client, client.c.id == user.c.client_id)
    .where(application.c.enabled)
)


class Tokens:
    """Principals by token, remembered for a moment.

    A change on this worker empties the memory at once; another worker may honour a revoked token
    for `token_cache_seconds` more.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._forgotten = 0

    async def principal(self, bearer: str) -> Principal | None:
        """Return whom `bearer` stands for; None: unknown or expired."""
        found = self._known.get(bearer)
        if found is None or found[0] < time.monotonic():
            found = await self._look_up(bearer)
        if found is None or found[1].expires_at <= dates.now():
            return None
        return found[1]

    def forget(self) -> None:
        """Forget all: something that principals are made of has changed."""
        self._known.clear()
        self._forgotten += 1

    async def _look_up(self, bearer: str) -> tuple[float, Principal] | None:
        asked_at, forgotten = time.monotonic(), self._forgotten
        async with reading(self._database) as work:
            row = (
                (await work.execute(_BY_TOKEN.where(token.c.token_hash == digest(bearer)))).mappings().first()
            )
        if row is None:
            self._known.pop(bearer, None)
            return None
        principal = Principal(
            blocked="blocked" in (row["status"], row["client_status"]),
            call_api_only=row["application_access"] == "Call API",
            **{name: row[name] for name in Principal.__struct_fields__ if name in row},
        )
        found = (asked_at + self._seconds, principal)
        if forgotten == self._forgotten:  # else what was read may be what has just been changed
            self._remember(bearer, found)
        return found

    def _remember(self, bearer: str, found: tuple[float, Principal]) -> None:
        self._known[bearer] = found
        while len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)


async def gate(request: Request[Any, Any, Any]) -> None:
    """Let a request in, before anything of it is read.

    No guard: the framework copies the route's handler for each, a tenth of a quick request's time.
    """
    principal = await _authenticate(request)
    _refuse_nul(request)
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        _check_may_write(principal, request.route_handler)


async def _authenticate(request: Request[Any, Any, Any]) -> Principal:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    state = request.app.state
    principal: Principal | None = None
    if scheme.lower() == "bearer":
        principal = await state.tokens.principal(bearer.strip())
    if principal is None:
        raise Unauthorized(headers={"WWW-Authenticate": "Bearer"})
    request.scope["user"] = principal
    limit = state.settings.rate_limit if principal.rate_limit is None else principal.rate_limit
    if limit:
        request.scope["state"]["headers"] = state.hourly_limit.take(principal.application_id, limit)
    if principal.blocked:
        raise user_blocked()
    return principal


def _refuse_nul(request: Request[Any, Any, Any]) -> None:
    """No text that can be stored holds a NUL, and PostgreSQL takes none to compare with."""
    if "\x00" in request.scope["path"]:
        raise NotFound()
    if b"%00" in request.scope["query_string"]:
        raise bad_field("query", "can't hold a NUL")


def _check_may_write(principal: Principal, handler: BaseRouteHandler) -> None:
    if principal.access == "read_only":
        raise read_only_user()
    if principal.call_api_only and not handler.opt.get("call_api"):
        raise call_api_only()
