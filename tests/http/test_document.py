"""The OpenAPI document is committed; who changes the API sees what integrators will see."""

import json
from pathlib import Path

COMMITTED = Path(__file__).parent.parent.parent / "docs" / "openapi.json"


def test_the_committed_document_is_the_served_one(server):
    served = server.admin.get("/openapi.json")
    assert served.headers["content-type"] == "application/json"
    assert served.json() == json.loads(COMMITTED.read_text()), "run make openapi, and read the difference"


def test_every_operation_says_what_it_is_for():
    for path, operations in json.loads(COMMITTED.read_text())["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["tags"], (method, path)
