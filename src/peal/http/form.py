"""Bodies: what clients really send, made into what the services take.

The contract's tolerances live here and nowhere else: numeric strings are numbers, unknown keys are
ignored, null and "" mean absent in a POST; in a PUT they clear a field that can be null and are
ignored for one that can't. A JSON object is taken whatever its `Content-Type` says, or without one:
`curl -d` calls it a form, and there is nothing to confuse it with.
"""

import json
from collections.abc import Generator, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar, get_args

import msgspec
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from peal.errors import FieldError, UnsupportedMediaType, bad_field, bad_fields

T = TypeVar("T", bound=msgspec.Struct)


class Form(AbstractDTO[T], Generic[T]):
    """Litestar's hook for decoding: every `data` argument of a route passes here."""

    def decode_bytes(self, value: bytes) -> Any:
        """Decode the body of the request at hand."""
        _check_media(self.asgi_connection.headers, value)
        handler: Any = self.asgi_connection.scope["route_handler"]
        clears = str(self.asgi_connection.scope.get("method")) == "PUT"
        return read(value, handler.parsed_data_field.annotation, clears=clears)

    @classmethod
    def create_for_field_definition(cls, field_definition: FieldDefinition, *_: Any, **__: Any) -> None:
        """Nothing to prepare: the struct itself says what it takes."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Schema | Reference:
        """Document the struct as it is."""
        result: Schema | Reference = schema_creator.for_field_definition(field_definition)
        return result

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Generator[DTOFieldDefinition, None, None]:
        """Unused: no transfer models are made."""
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Unused: no transfer models are made."""
        return False


def read(body: bytes, model: type[T], *, clears: bool) -> T:
    """Return `body` (a JSON object) as `model`; `clears`: null and "" empty a field (PUT).

    Raises:
        BadRequest: naming every field that can't be taken, and why.
    """
    return take(_decode(body), model, clears=clears)


def take(sent: Mapping[str, Any], model: type[T], *, clears: bool) -> T:
    """Return the fields `sent` as `model`; as `read`, for what is decoded already."""
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field in _fields(model):
        value = sent.get(field.encode_name)
        if value is None or value == "":
            if field.encode_name in sent and clears and _nullable(field.type):
                values[field.name] = None
            elif field.required:
                errors.append(FieldError(field.encode_name, "is required"))
            continue
        try:
            values[field.name] = msgspec.convert(value, field.type, strict=False)
        except (msgspec.ValidationError, RecursionError) as error:
            errors.append(FieldError(field.encode_name, str(error)))
    if errors:
        raise bad_fields(errors)
    return model(**values)


def refuse_coding(headers: Mapping[str, str]) -> None:
    """Refuse a compressed body."""
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaType.of("Content-Encoding", "bodies are taken as they are, not compressed")


def _check_media(headers: Mapping[str, str], body: bytes) -> None:
    refuse_coding(headers)
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and declared and not declared.endswith("json") and not body.lstrip().startswith(b"{"):
        raise UnsupportedMediaType.of("Content-Type", "must be application/json, and the body a JSON object")


_fields = lru_cache(maxsize=1000)(msgspec.structs.fields)
"""The fields of a struct, remembered: reading its annotations takes longer than the rest."""


def _decode(body: bytes) -> dict[str, Any]:
    if not body.strip():
        raise bad_field("body", "is empty, must be a JSON object")
    try:
        sent = msgspec.json.decode(body)
        _refuse_repeated(body)
    except RecursionError as error:
        raise bad_field("body", "is nested too deep") from error
    except UnicodeDecodeError as error:
        raise bad_field("body", "is not valid JSON: not UTF-8") from error
    except msgspec.MsgspecError as error:
        raise bad_fields(_faults(body, f"is not valid JSON: {error}")) from error
    if not isinstance(sent, dict):
        raise bad_field("body", "must be a JSON object")
    return sent


def _refuse_repeated(body: bytes) -> None:
    """Of two values under one key nobody can say which was meant."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise bad_field(next(name for name in names if names.count(name) > 1), "is given twice")

    json.loads(body, object_pairs_hook=check, parse_int=str, parse_float=str)


def _faults(body: bytes, reason: str) -> list[FieldError]:
    """Name the fields to blame, where the body is JSON but for their values."""
    try:
        sent = json.loads(body, parse_int=float)
    except (ValueError, RecursionError):
        sent = None
    fields = sent.items() if isinstance(sent, dict) else ()
    text = "holds NaN, a number out of range, or half of a surrogate pair"
    return [FieldError(name, text) for name, value in fields if not _is_clean(value)] or [
        FieldError("body", reason)
    ]


def _is_clean(value: Any) -> bool:
    try:
        msgspec.json.decode(json.dumps(value))
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True


def _nullable(annotation: Any) -> bool:
    return type(None) in get_args(annotation)
