"""The marks in the OpenAPI document: each field's description says whether it acts or is stored only."""

from collections.abc import Mapping
from typing import Any

from peal.bundles.fields import NAMES
from peal.clients.fields import FIELDS as CLIENT
from peal.extensions.fields import FIELDS as EXTENSION
from peal.kit.marks import Marked
from peal.phones.fields import FIELDS as PHONE

_BUNDLED = {
    "Extension": EXTENSION,
    "ExtensionCreate": EXTENSION,
    "ExtensionChange": EXTENSION,
    "Phone": PHONE,
    "PhoneChange": PHONE,
}
SCHEMAS: Mapping[str, Mapping[str, Marked]] = {**_BUNDLED, "ClientInfo": CLIENT, "ClientInfoChange": CLIENT}
"""Schemas whose fields are marked, and where the marks stand."""


def describe(schemas: Mapping[str, Any]) -> None:
    """Set the descriptions of all marked fields in the document's `schemas`."""
    for name, fields in SCHEMAS.items():
        for field, schema in schemas[name]["properties"].items():
            if field in fields:
                synchronised = name in _BUNDLED and field in NAMES
                schema["description"] = description(fields[field], synchronised=synchronised)


def description(field: Marked, *, synchronised: bool) -> str:
    """Return a field's description."""
    return f"{field.mark}{', synchronised' if synchronised else ''}: {field.meaning}"
