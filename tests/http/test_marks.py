"""The docs say of each field whether it acts or is stored only, and say the same in all places."""

import json
import re
from pathlib import Path

import pytest

from peal.bundles.fields import NAMES
from peal.http.marks import CLIENT, EXTENSION, PHONE

DOCS = Path(__file__).parent.parent.parent / "docs"
DOCUMENT = json.loads((DOCS / "openapi.json").read_text())["components"]["schemas"]
"""`test_document` compares it with what is served."""
SCHEMAS = {
    "Extension": EXTENSION,
    "ExtensionCreate": EXTENSION,
    "ExtensionChange": EXTENSION,
    "Phone": PHONE,
    "PhoneChange": PHONE,
    "ClientInfo": CLIENT,
    "ClientInfoChange": CLIENT,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_of_the_document_carries_its_mark_and_meaning(name):
    for field, schema in DOCUMENT[name]["properties"].items():
        told = re.fullmatch(r"(acts|stored only)(, synchronised)?: (.+)", schema.get("description", ""))
        assert told, f"{name}.{field} carries no mark"
        assert (told[1], told[3]) == (SCHEMAS[name][field].mark, SCHEMAS[name][field].meaning)
        assert bool(told[2]) == (field in NAMES and SCHEMAS[name] is not CLIENT)


@pytest.mark.parametrize("name", ["Extension", "Phone", "ClientInfo"])
def test_no_mark_is_of_a_field_that_is_not(name):
    assert set(SCHEMAS[name]) == set(DOCUMENT[name]["properties"])


@pytest.mark.parametrize(
    ("heading", "fields"),
    [("Extension", EXTENSION), ("Phone", PHONE), ("Client (`client_info`)", CLIENT)],
    ids=["extension", "phone", "client"],
)
def test_the_guide_says_the_same(heading, fields):
    section = (DOCS / "guide.md").read_text().split(f"\n### {heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(name, field.mark, field.meaning) for name, field in fields.items()]
