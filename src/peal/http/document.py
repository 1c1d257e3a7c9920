"""The OpenAPI document: what the framework generates, and what holds for every route of the API.

Schemas come from msgspec, which decodes the bodies and so knows all bounds; the framework loses some.
What is tolerated beyond it (numeric strings, null for absent, unknown keys) is in docs/guide.md.
"""

from collections.abc import Iterator
from functools import lru_cache
from inspect import getdoc
from typing import Any, get_args

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from peal.http import marks
from peal.http.listing import MAX_PAGE, MAX_PER_PAGE
from peal.http.values import MAX_ID

PREFIX = "/api/ver1.0"
Json = dict[str, Any]

_ID = {"type": "integer", "minimum": 1, "maximum": MAX_ID}

_TIME = {"type": "string", "pattern": r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})?$"}
_USERNAME = {"type": "string", "maxLength": 255}

_PATH: dict[str, Json] = {
    "client_id": {
        "description": "Id, or `@me`: the token's own client",
        "schema": {"type": "string", "pattern": "^(@me|[1-9][0-9]{0,17})$", "examples": ["@me"]},
    },
    "extension_id": {
        "description": "Id, `@101`, `@0003*101`, or `@me`: the token's own extension",
        "schema": {
            "type": "string",
            "pattern": r"^(@me|[1-9][0-9]{0,17}|@([A-Za-z0-9_-]{1,32}\*)?[0-9]{2,4})$",
            "examples": ["@101"],
        },
    },
    "call_uuid": {
        "description": "Id of a call, in any case",
        "schema": {"type": "string", "pattern": "^[0-9A-Fa-f]{32}$"},
    },
}
"""Parts of a path; all others are ids."""

_QUERY: dict[str, Json] = {
    "page": {
        "description": "Page, from 1",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1},
    },
    "per_page": {
        "description": "Rows of a page",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE, "default": 50},
    },
    "order": {
        "description": "By id, of calls by their beginning: upwards or downwards",
        "schema": {"enum": ["asc", "desc"]},
    },
    "type": {
        "description": "Extensions of this type",
        "schema": {"enum": ["phone", "queue", "ivr", "fax", "conference"]},
    },
    "status": {"description": "Active or blocked ones", "schema": {"enum": ["active", "blocked"]}},
    "name": {
        "description": "The one of this number, full or short",
        "schema": {"type": "string", "maxLength": 255},
    },
    "extension_group_id": {"description": "Members of this group", "schema": _ID},
    "id": {"description": "Those with one of these ids", "schema": {"type": "array", "items": _ID}},
    "title": {
        "description": "Those with one of these titles, exactly",
        "schema": {"type": "array", "items": {"type": "string", "maxLength": 255}},
    },
    "state": {
        "description": "Those in this state",
        "schema": {"enum": ["waiting", "delivered", "parked"]},
    },
    "seconds": {
        "description": "How long the stream lasts",
        "schema": {"type": "integer", "minimum": 0, "maximum": 3600, "default": 3600, "examples": [0]},
    },
    "own_only": {"description": "Only the client's own", "schema": {"type": "boolean"}},
    "start_datetime": {
        "description": "Calls that began then or later, UTC",
        "schema": _TIME | {"examples": ["2021-01-31 00:00:00"]},
        "required": True,
    },
    "end_datetime": {
        "description": "Calls that began then or earlier, UTC",
        "schema": _TIME | {"examples": ["2099-12-31 23:59:59"]},
        "required": True,
    },
    "flow": {"description": "Incoming or outgoing ones", "schema": {"enum": ["in", "out"]}},
    "extension_id": {
        "description": "Those that one of these extensions had part in, a main one also by its members",
        "schema": {"type": "array", "items": _ID},
    },
    "from_username": {"description": "Who called, exactly", "schema": _USERNAME},
    "to_username": {"description": "Who was called, exactly", "schema": _USERNAME},
}

_ERRORS = {
    "400": "A body or value that can't be taken; `errors` names fields and reasons",
    "401": "No token, a wrong or an expired one",
    "403": "The role, the user's or the application's access does not reach this",
    "404": "It does not exist, or belongs to somebody else",
    "409": "`not_transferable`: the other side's phone does not follow; the call goes on",
    "412": "`If-Match` names another version",
    "413": "The body is too large",
    "415": "The body is compressed, or of a type that is not taken",
    "429": "Too many requests; `X-RateLimit-Reset` says when to come back",
    "503": "`database_unavailable`; a live question that the SIP service can't answer: `switch_unavailable`",
}

_REFERRING = {"change_call", "call_back"}
"""Operations that ask a phone to call somebody else."""

_SUCCESS = {"200": "Done", "201": "Made", "204": "Deleted; no body"}

_HEADERS: dict[str, Json] = {
    "X-Request-Id": {"description": "The request's id in the logs", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {
        "description": "Requests an hour; absent without a limit",
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-RateLimit-Remaining": {
        "description": "What is left of them",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "Seconds until the hour is over",
        "schema": {"type": "integer", "minimum": 1, "maximum": 3600},
    },
    "ETag": {
        "description": "Version of the bundle, for `If-Match`",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]{32}"$'},
    },
    "WWW-Authenticate": {"description": "How to authenticate", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}

_SCHEMAS: dict[str, Json] = {
    "Error": {
        "title": "Error",
        "type": "object",
        "required": ["message"],
        "additionalProperties": False,
        "properties": {
            "message": {"type": "string", "minLength": 1, "description": "Text for people"},
            "status": {"type": ["string", "integer"], "description": "Word for programs; 401: the number"},
            "errors": {
                "type": "array",
                "minItems": 1,
                "description": "The fields at fault; `body` for the body as a whole",
                "items": {
                    "type": "object",
                    "required": ["field", "message"],
                    "additionalProperties": False,
                    "properties": {
                        "field": {"type": "string", "minLength": 1},
                        "message": {"type": "string", "minLength": 1},
                    },
                },
            },
        },
    },
    "Token": {
        "title": "Token",
        "type": "object",
        "required": ["access_token", "token_type", "expires_in", "scope"],
        "properties": {
            "access_token": {"type": "string", "pattern": "^[A-Za-z0-9]{30}$"},
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer", "minimum": 1, "description": "Seconds"},
            "scope": {"const": "all"},
        },
    },
    "OAuthError": {
        "title": "OAuthError",
        "description": "RFC 6749, 5.2",
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string", "minLength": 1, "description": "Word for programs"},
            "error_description": {"type": "string", "description": "Text for people"},
        },
    },
}

_APPLICATION: Json = {
    "client_id": {"type": "string", "description": "Application_ID"},
    "client_secret": {"type": "string", "description": "Application_Secret"},
}
_FORMS: dict[str, Json] = {
    "/oauth/token": {
        "grant_type": {"type": "string", "examples": ["client_credentials"]},
        **_APPLICATION,
        "scope": {"type": "string", "examples": ["all"]},
    },
    "/oauth/revoke": {"token": {"type": "string", "description": "Token to revoke"}, **_APPLICATION},
}


@lru_cache(maxsize=4)
def document(app: Litestar) -> Json:
    """Return the OpenAPI 3.1 document of `app`."""
    result: Json = app.openapi_schema.to_schema()
    result["components"]["schemas"] |= _SCHEMAS
    result["components"]["headers"] = _HEADERS
    models = []
    for path, method, handler in _handlers(app):
        operation = result["paths"].get(path, {}).get(method)
        if operation is None:
            continue
        operation |= {"operationId": handler.handler_name, "description": getdoc(handler.fn)}
        models += _models(handler)
        if path.startswith(PREFIX):
            _describe(path, operation)
        else:
            _describe_oauth(path, operation)
    result["components"]["schemas"] |= _schemas(models)
    marks.describe(result["components"]["schemas"])
    return result


def _handlers(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                yield route.path_format, method.lower(), handler


def _models(handler: HTTPRouteHandler) -> list[Any]:
    """Return the structs of a handler's body and answer."""
    fields = [field for field in (handler.parsed_data_field, handler.parsed_return_field) if field]
    found = [annotation for f in fields for annotation in (f.annotation, *get_args(f.annotation))]
    return [m for m in found if isinstance(m, type) and issubclass(m, msgspec.Struct)]


def _schemas(models: list[Any]) -> Json:
    unique = list(dict.fromkeys(models))
    _, schemas = msgspec.json.schema_components(unique, ref_template="#/components/schemas/{name}")
    return schemas


def _describe(path: str, operation: Json) -> None:
    for parameter in operation.get("parameters", []):
        _describe_parameter(parameter)
    responses = operation["responses"]
    for status, response in responses.items():
        response["description"] = _SUCCESS.get(status, response["description"])
    responses |= _described(_errors(path, operation), "Error")
    common = ["X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    for status, response in responses.items():
        response["headers"] = _refs(common) | _headers_of(path, status)


def _describe_parameter(parameter: Json) -> None:
    parameter.pop("deprecated", None)
    match parameter["in"]:
        case "path":
            parameter |= _PATH.get(parameter["name"], {"description": "Id", "schema": _ID})
        case "query":
            parameter |= _QUERY.get(parameter["name"], {})
        case "header":
            parameter["schema"] = {"type": "string"}


def _errors(path: str, operation: Json) -> dict[str, str]:
    """Return which errors an operation can answer."""
    never = set()
    if "requestBody" not in operation:
        never |= {"413", "415"}
    if not any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", [])):
        never.add("412")
    if "{" not in path:
        never.add("404")
    if operation["operationId"] not in _REFERRING:
        never.add("409")
    return {status: text for status, text in _ERRORS.items() if status not in never}


def _headers_of(path: str, status: str) -> Json:
    if status == "401":
        return _refs(["WWW-Authenticate"])
    if status == "503":
        return _refs(["Retry-After"])
    if path.endswith("/extensions_bundle/{extension_id}") and status in ("200", "201"):
        return _refs(["ETag"])
    return {}


def _describe_oauth(path: str, operation: Json) -> None:
    schema = {"type": "object", "properties": _FORMS[path]}
    form = {"schema": schema}
    operation["requestBody"] = {
        "required": False,
        "description": "Or in the query, with an empty body; the application may come by HTTP Basic",
        "content": {"application/x-www-form-urlencoded": form, "multipart/form-data": form},
    }
    done = _json({"type": "object", "maxProperties": 0})
    if path == "/oauth/token":
        done = _json({"$ref": "#/components/schemas/Token"})
    operation["responses"] = {
        "200": {"description": "The token" if path == "/oauth/token" else "It is good no more", **done},
        **_described({"400": "`error` says what is wrong (RFC 6749)"}, "OAuthError"),
        **_described({"401": "Wrong credentials: `invalid_client`"}, "OAuthError"),
        **_described({status: _ERRORS[status] for status in ("413", "503")}, "Error"),
        **_described({"429": "Too many requests of this address"}, "Error"),
    }
    for status, response in operation["responses"].items():
        response["headers"] = _refs(["X-Request-Id"]) | _refs(["Retry-After"] if status == "429" else [])


def _described(errors: dict[str, str], schema: str) -> Json:
    content = _json({"$ref": f"#/components/schemas/{schema}"})
    return {status: {"description": text, **content} for status, text in errors.items()}


def _json(schema: Json) -> Json:
    return {"content": {"application/json": {"schema": schema}}}


def _refs(names: list[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
