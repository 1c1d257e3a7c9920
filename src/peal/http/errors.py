"""The one place that renders errors: `{"message", "status", "errors"}`."""

import os
from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from sqlalchemy.exc import IntegrityError

from peal.errors import BadRequest, NotFound, PealError

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
    if error.status_code == 404:
        return render(request, NotFound("Not found"))
    shown = BadRequest(error.detail, status=_WORDS.get(error.status_code, "bad_request"))
    answer = render(request, shown)
    answer.status_code = error.status_code
    return answer


def render_integrity(request: Request[Any, Any, Any], error: IntegrityError) -> Response[dict[str, Any]]:
    """Answer what only the database could see: a second one of a kind, or one that is still in use."""
    log.info("integrity_error", reason=str(error.orig))
    return render(
        request, BadRequest("The value is taken already, or the object is still in use", status="conflict")
    )


def render_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer a defect of ours: 500, its trace in the log under the request's id."""
    log.error("unexpected_error", path=request.scope["path"], exc_info=error)
    body = {"message": "Internal error", "status": "internal_error"}
    return Response(body, status_code=500, media_type=MediaType.JSON)


def new_request_id() -> str:
    """Return a fresh request id, 32 hex digits."""
    return os.urandom(16).hex()


HANDLERS: dict[int | type[Exception], Any] = {
    PealError: render,
    HTTPException: render_framework,
    IntegrityError: render_integrity,
    Exception: render_unexpected,
}
