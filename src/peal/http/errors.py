"""The one place that renders errors: `{"message", "status", "errors"}`."""

import os
from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException

from peal.db.failures import FAILURES, meaning
from peal.errors import BadRequest, DatabaseUnavailable, FieldError, NotFound, PealError

log = structlog.get_logger()

_WORDS = {405: "method_not_allowed", 413: "body_too_large", 415: "unsupported_media_type"}


def render(_request: Request[Any, Any, Any], error: PealError) -> Response[dict[str, Any]]:
    """Answer one of our own errors."""
    body: dict[str, Any] = {"message": error.message}
    if error.status is not None:
        body["status"] = error.status
    if error.errors:
        body["errors"] = [{"field": e.field, "message": e.message} for e in error.errors]
    return Response(body, status_code=error.code, media_type=MediaType.JSON, headers=error.headers)


def render_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[dict[str, Any]]:
    """Answer what the framework found: no such path or method, a body too large, a bad parameter."""
    if error.status_code >= 500:
        return render_unexpected(request, error)
    if error.status_code == 404:
        return render(request, NotFound("Not found"))
    word = _WORDS.get(error.status_code, "bad_request")
    shown = BadRequest(error.detail, status=word, errors=_fields(error), headers=error.headers or {})
    if shown.errors:
        shown.message = "; ".join(f"{e.field}: {e.message}" for e in shown.errors)
    answer = render(request, shown)
    answer.status_code = error.status_code
    return answer


def render_database(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer what only the database could see, without its words: they tell of tables and hosts."""
    origin = getattr(error, "orig", None) or error
    match meaning(error):
        case "conflict":
            log.info("database_conflict", reason=str(origin))
            text = "The value is taken already, or the object is still in use"
            return render(request, BadRequest(text, status="conflict"))
        case "value":
            log.warning("database_refused_value", reason=str(origin))
            return render(request, BadRequest("A value can't be stored"))
        case "unavailable":
            log.error("database_unavailable", reason=f"{type(origin).__name__}: {origin}")
            return render(request, DatabaseUnavailable(headers={"Retry-After": "1"}))
        case "defect":
            return render_unexpected(request, error)


def render_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer a defect of ours: 500, its trace in the log under the request's id."""
    log.error(
        "unexpected_error",
        path=request.scope["path"],
        request_id=request.scope["state"].get("request_id"),
        exc_info=error,
    )
    body = {"message": "Internal error", "status": "internal_error"}
    return Response(body, status_code=500, media_type=MediaType.JSON)


def new_request_id() -> str:
    """Return a fresh request id, 32 hex digits."""
    return os.urandom(16).hex()


def _fields(error: HTTPException) -> list[FieldError]:
    """Return what the framework blames: the body's size, parameters, or `data`, where the body is empty."""
    if error.status_code == 413 and not error.extra:
        return [FieldError("body", "is too large")]
    blamed = error.extra if isinstance(error.extra, list) else []
    found = [FieldError(str(e["key"]), str(e["message"])) for e in blamed if "key" in e and "message" in e]
    return [FieldError("body", "is empty, must be a JSON object") if e.field == "data" else e for e in found]


HANDLERS: dict[int | type[Exception], Any] = {
    PealError: render,
    HTTPException: render_framework,
    **dict.fromkeys(FAILURES, render_database),
    Exception: render_unexpected,
}
