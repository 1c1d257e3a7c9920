"""`/oauth/token` and `/oauth/revoke`, at the host's root."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, post
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from peal.db.work import Actor, Work, reading, writing
from peal.oauth import service
from peal.oauth.server import Answer, Issuer, credentials

_PARAMETERS = ("grant_type", "client_id", "client_secret", "scope", "token", "token_type_hint")


async def guard_guessing(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Guard: so many requests per second and address, whatever they are."""
    connection.app.state.guess_limit.request(_address(connection))


@post(
    "/oauth/token",
    tags=["authentication"],
    summary="Get an access token",
    status_code=200,
    guards=[guard_guessing],
)
async def get_token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """Parameters urlencoded, as multipart/form-data, in the query, or the application by HTTP Basic."""
    seconds = request.app.state.settings.token_seconds

    async def keep(work: Work, issuer: Issuer, answer: Answer) -> None:
        if answer.issued and issuer.application:
            await service.store(work, issuer.application, answer.issued, seconds)

    return await _answer(request, lambda issuer, sent: issuer.token(sent), keep, seconds)


@post(
    "/oauth/revoke",
    tags=["authentication"],
    summary="Revoke a token",
    status_code=200,
    guards=[guard_guessing],
)
async def revoke_token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """RFC 7009; an unknown token is no error."""

    async def forget(work: Work, issuer: Issuer, answer: Answer) -> None:
        if answer.revoked and issuer.application:
            await service.revoke(work, issuer.application, answer.revoked)

    reply = await _answer(request, lambda issuer, sent: issuer.revoke(sent), forget)
    request.app.state.tokens.forget()
    return reply


async def _answer(
    request: Request[Any, Any, Any],
    decide: Callable[[Issuer, dict[str, str]], Answer],
    act: Callable[[Work, Issuer, Answer], Awaitable[None]],
    seconds: int = 0,
) -> Response[dict[str, Any]]:
    """Decide on what was read; then act in a transaction, in which it is decided again.

    A wrong secret opens no transaction. Between the last look at the guard and the decision nothing waits, so
    guesses that come at one moment are counted one by one.
    """
    sent = await parameters(request)
    limit, guess = request.app.state.guess_limit, (_address(request), sent.get("client_id", ""))
    limit.check(*guess)
    async with reading(request.app.state.database) as work:
        application = await service.by_public_id(work, guess[1])
    limit.check(*guess)
    answer = decide(Issuer(application, seconds), sent)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        limit.failed(*guess)
    if answer.status == HTTPStatus.OK:
        async with writing(request.app.state.database, _actor(request)) as work:
            issuer = Issuer(await service.by_public_id(work, guess[1], lock=True), seconds)
            answer = decide(issuer, sent)
            await act(work, issuer, answer)
    return Response(answer.body, status_code=answer.status, headers=answer.headers)


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


def _actor(request: Request[Any, Any, Any]) -> Actor:
    return Actor(None, None, request.scope["state"]["request_id"], _address(request))


def _address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    return str(connection.scope["state"]["address"])


ROUTES = [get_token, revoke_token]
