"""The OpenAPI document is valid, complete, and true where no request can show it."""

import re

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from walk import Household, application

DOCUMENT = application()[1]
OPERATIONS = [
    (path, method, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
ANSWERS = [
    (path, method, status, response)
    for path, method, operation in OPERATIONS
    for status, response in operation["responses"].items()
]


def test_it_is_openapi_3_1():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


def test_every_reference_leads_somewhere():
    for pointer in set(re.findall(r"'\$ref': '([^']+)'", str(DOCUMENT))):
        found = DOCUMENT
        for step in pointer.removeprefix("#/").split("/"):
            found = found[step]


def test_every_operation_has_an_id_of_its_own_a_tag_and_texts():
    for path, method, operation in OPERATIONS:
        for key in ("operationId", "tags", "summary", "description"):
            assert operation[key], (path, method, key)
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_parameter_has_a_schema_and_a_description():
    for path, method, operation in OPERATIONS:
        for parameter in operation.get("parameters", ()):
            assert parameter["schema"], (path, method, parameter["name"])
            assert parameter["description"], (path, method, parameter["name"])


def test_every_answer_has_a_description_and_a_schema():
    for path, method, status, response in ANSWERS:
        assert response["description"], (path, method, status)
        if status == "204":
            assert "content" not in response, (path, method)
        else:
            assert all("schema" in media for media in response["content"].values()), (path, method, status)


@pytest.mark.parametrize("status", ["400", "401", "403", "429", "503"])
def test_every_operation_of_the_api_tells_of_the_errors_that_all_have(status):
    error = {"$ref": "#/components/schemas/Error"}
    for path, method, operation in OPERATIONS:
        if path.startswith("/api/"):
            content = operation["responses"][status]["content"]
            assert content["application/json"]["schema"] == error, (path, method)


def test_only_what_takes_a_body_can_refuse_its_size_and_type():
    for path, method, operation in OPERATIONS:
        if path.startswith("/api/"):
            refuses = {"413", "415"} & set(operation["responses"])
            assert refuses == ({"413", "415"} if "requestBody" in operation else set()), (path, method)


def test_the_bounds_that_bodies_are_checked_with_are_told():
    fields = DOCUMENT["components"]["schemas"]["ExtensionCreate"]["properties"]
    assert (fields["name"]["minLength"], fields["name"]["maxLength"]) == (1, 255)
    limit = {"type": "integer", "minimum": 0, "maximum": 1_000_000}
    assert fields["dial_rule_limit"]["anyOf"] == [limit, {"type": "null"}]


def test_headers_that_are_told_are_sent(server, tenant):
    limited = server.api(tenant.id, rate_limit=100)
    main, one = tenant.extension(), tenant.extension()
    path = f"/client/@me/extensions_bundle/{main}"
    described = "/api/ver1.0/client/{client_id}/extensions_bundle/{extension_id}"
    for answer in (limited.post(path, json={"bundle_list": [one]}), limited.get(path)):
        operation = DOCUMENT["paths"][described][answer.request.method.lower()]
        told = operation["responses"][str(answer.status_code)]["headers"]
        assert set(map(str.lower, told)) <= set(answer.headers)
    refused = server.web.get("/api/ver1.0/user")
    told = DOCUMENT["paths"]["/api/ver1.0/user"]["get"]["responses"]["401"]["headers"]
    assert "WWW-Authenticate" in told
    assert refused.headers["www-authenticate"] == "Bearer"


def test_options_names_every_method_of_a_path(server):
    house = Household(server.tenant()).furnish()
    for path, operations in DOCUMENT["paths"].items():
        answer = server.admin.options(server.url + path.format_map(house.ids))
        told = set(answer.headers["allow"].lower().split(", "))
        assert (answer.status_code, told) == (204, {*operations, "options"}), path
