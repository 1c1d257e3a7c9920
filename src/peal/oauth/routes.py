"""`/oauth/token` and `/oauth/revoke`, at the host's root."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, post
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from peal.db.work import Actor, Work, writing
from peal.oauth import service
from peal.oauth.server import Answer, Issuer, credentials

_PARAMETERS = ("grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint")


async def guard_guessing(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: so many requests per second and address."""
    connection.app.state.guess_limit.take(connection.client.host if connection.client else "")


@post(
    "/oauth/token",
    tags=["authentication"],
    summary="Get an access token",
    status_code=200,
    guards=[guard_guessing],
)
async def get_token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Parameters urlencoded, as multipart/form-data, in the query, or the application by HTTP Basic."""
    sent = await parameters(request)
    seconds = request.app.state.settings.token_seconds
    async with writing(request.app.state.database, _actor(request)) as work:
        issuer = await _issuer(work, sent, seconds)
        answer = issuer.token(sent)
        if answer.issued and issuer.application:
            await service.store(work, issuer.application, answer.issued, seconds)
    return _reply(answer)


@post(
    "/oauth/revoke",
    tags=["authentication"],
    summary="Revoke a token",
    status_code=200,
    guards=[guard_guessing],
)
async def revoke_token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """RFC 7009; an unknown token is no error."""
    sent = await parameters(request)
    async with writing(request.app.state.database, _actor(request)) as work:
        issuer = await _issuer(work, sent, 0)
        answer = issuer.revoke(sent)
        if answer.revoked and issuer.application:
            await service.revoke(work, issuer.application, answer.revoked)
    request.app.state.tokens.forget()
    return _reply(answer)


async def parameters(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Return the parameters, wherever the client has put them; those in the body win."""
    form: Mapping[str, Any] = {}
    try:
        form = await request.form()
    except (HTTPException, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, HTTPException) and error.status_code == 413:
            raise
        # not a form: oauthlib names what is missing
    found = {**request.query_params.dict(), **dict(form)}
    one = {k: v[0] if isinstance(v, list) else v for k, v in found.items() if k in _PARAMETERS}
    return credentials(
        request.headers.get("authorization", ""), {k: v for k, v in one.items() if isinstance(v, str) and v}
    )


async def _issuer(work: Work, sent: dict[str, str], seconds: int) -> Issuer:
    return Issuer(await service.by_public_id(work, sent.get("client_id", "")), seconds)


def _reply(answer: Answer) -> Response[dict[str, Any]]:
    return Response(answer.body, status_code=answer.status, headers=answer.headers)


def _actor(request: Request[Any, Any, Any]) -> Actor:
    address = request.client.host if request.client else "unknown"
    return Actor(None, None, request.scope["state"]["request_id"], address)


ROUTES = [get_token, revoke_token]
