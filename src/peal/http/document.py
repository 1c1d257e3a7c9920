"""The OpenAPI document: what the framework generates, and what holds for every route of the API."""

from functools import lru_cache
from typing import Any

from litestar import Litestar

PREFIX = "/api/ver1.0"

_ERRORS = {
    "400": "A body or value that can't be taken; `errors` names fields and reasons",
    "401": "No token, a wrong or an expired one",
    "403": "The role, the user's or the application's access does not reach this",
    "404": "It does not exist, or belongs to somebody else",
    "412": "`If-Match` names another version",
    "413": "The body is too large",
    "415": "The body's content type is not JSON",
    "429": "Too many requests; `X-RateLimit-Reset` says when to come back",
    "503": "A live question that the SIP service can't answer now",
}

_ERROR_SCHEMA = {
    "title": "Error",
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "description": "Text for people"},
        "status": {"type": ["string", "integer"], "description": "Word for programs"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_OAUTH_FORM = {
    "type": "object",
    "required": ["grant_type", "client_id", "client_secret"],
    "properties": {
        "grant_type": {"type": "string", "examples": ["client_credentials"]},
        "client_id": {"type": "string", "description": "Application_ID"},
        "client_secret": {"type": "string", "description": "Application_Secret"},
        "scope": {"type": "string", "examples": ["all"]},
        "token": {"type": "string", "description": "Token to revoke"},
    },
}


@lru_cache(maxsize=4)
def document(app: Litestar) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of `app`."""
    result: dict[str, Any] = app.openapi_schema.to_schema()
    result["components"]["schemas"]["Error"] = _ERROR_SCHEMA
    for path, operations in result["paths"].items():
        for operation in operations.values():
            if path.startswith(PREFIX):
                _add_errors(operation)
            else:
                _describe_oauth(operation)
    return result


def _add_errors(operation: dict[str, Any]) -> None:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, text in _ERRORS.items():
        operation["responses"][status] = {"description": text, "content": content}


def _describe_oauth(operation: dict[str, Any]) -> None:
    form = {"schema": _OAUTH_FORM}
    operation["requestBody"] = {
        "required": False,
        "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form},
    }
    answer = {"application/json": {"schema": {"type": "object"}}}
    operation["responses"] = {
        "200": {"description": "The token (RFC 6749)", "content": answer},
        "400": {"description": "`error` and `error_description` (RFC 6749)", "content": answer},
        "401": {"description": "Wrong credentials: `invalid_client`", "content": answer},
        "429": {"description": "Too many requests of this address", "content": answer},
    }
