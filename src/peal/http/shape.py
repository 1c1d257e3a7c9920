"""From rows to answers, and from bodies to values."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from peal.kit import dates

T = TypeVar("T", bound=msgspec.Struct)


def shape(row: Mapping[str, Any], as_type: type[T]) -> T:
    """Return the fields of `as_type` out of `row`, moments as the API writes them."""
    return as_type(**{name: _shown(row[name]) for name in as_type.__struct_fields__})


def _shown(value: Any) -> Any:
    return dates.text(value) if isinstance(value, datetime) else value


def given(data: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that a request carried."""
    return {k: v for k, v in msgspec.structs.asdict(data).items() if v is not msgspec.UNSET}
