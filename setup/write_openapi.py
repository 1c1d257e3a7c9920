"""Writes docs/openapi.json anew."""

import json
from pathlib import Path

from peal.app import create_litestar
from peal.http.document import document
from peal.settings import Settings

TARGET = Path(__file__).parent.parent / "docs" / "openapi.json"

app = create_litestar(Settings())
TARGET.write_text(json.dumps(document(app), indent=1, sort_keys=True) + "\n")
