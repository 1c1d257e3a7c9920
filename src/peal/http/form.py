"""Bodies: what clients really send, made into what the services take.

The contract's tolerances live here and nowhere else: numeric strings are numbers, unknown keys are
ignored, null and "" mean absent in a POST; in a PUT they clear a field that can be null and are
ignored for one that can't.
"""

from collections.abc import Generator
from typing import Any, Generic, TypeVar, get_args

import msgspec
from litestar.dto import AbstractDTO, DTOFieldDefinition
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from peal.errors import BadRequest, FieldError, bad_fields

T = TypeVar("T", bound=msgspec.Struct)


class Form(AbstractDTO[T], Generic[T]):
    """Litestar's hook for decoding: every `data` argument of a route passes here."""

    def decode_bytes(self, value: bytes) -> Any:
        """Decode the body of the request at hand."""
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
    sent = _decode(body)
    values: dict[str, Any] = {}
    errors: list[FieldError] = []
    for field in msgspec.structs.fields(model):
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


def _decode(body: bytes) -> dict[str, Any]:
    try:
        sent = msgspec.json.decode(body)
    except RecursionError as error:
        raise BadRequest("body: nested too deep", errors=[FieldError("body", "nested too deep")]) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        text = f"is not valid JSON: {error}"
        raise BadRequest(f"body: {text}", errors=[FieldError("body", text)]) from error
    if not isinstance(sent, dict):
        raise BadRequest("body: must be a JSON object", errors=[FieldError("body", "must be a JSON object")])
    return sent


def _nullable(annotation: Any) -> bool:
    return type(None) in get_args(annotation)
