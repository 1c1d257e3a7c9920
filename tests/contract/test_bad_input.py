"""Bad input on every route: a clear 4xx that names what is wrong, and nothing has changed.

Routes and the schemas of their fields come from the OpenAPI document; what a field refuses is what
its schema refuses, so these tests also hold the document and the API together.
"""

import gzip
import json
from functools import cache

import jsonschema_rs
import pytest
from parts import contents
from walk import Household, application, operations

DOCUMENT = application()[1]
MEGABYTE = 1 << 20
SHAPE = {"message", "status", "errors"}
OPERATIONS = [one for one in operations() if one.path in DOCUMENT["paths"]]
READS = [one for one in OPERATIONS if one.method == "GET"]
WRITES = [one for one in OPERATIONS if one.writes and one.schema]
JSON_WRITES = [one for one in WRITES if one.media == "application/json"]


@pytest.fixture(scope="module")
def server(own_server):
    """One whose tables are compared, and therefore small."""
    return own_server


@pytest.fixture(scope="module")
def house(server):
    """A client that has one of everything."""
    return Household(server.tenant()).furnish()


@pytest.fixture
def unchanged(server, house):
    """Nothing in the database changes during the test."""
    before = contents(server.database)
    yield
    assert contents(server.database) == before


def path_of(house, operation, **places):
    return operation.path.removeprefix("/api/ver1.0").format_map(house.ids | places)


def send(house, operation, content, **headers):
    headers = {"Content-Type": operation.media, **{k.replace("_", "-"): v for k, v in headers.items()}}
    kept = {name: value for name, value in headers.items() if value}
    path = path_of(house, operation)
    api, query = house.tenant.server.admin, operation.query or None
    return api.request(operation.method, path, content=content, headers=kept, params=query)


def problem(answer, *statuses, fields=None):
    """Return what is wrong with a refusal; None: nothing is."""
    if answer.status_code not in statuses:
        return f"{answer.status_code} {answer.text[:300]}"
    if answer.headers["content-type"] != "application/json":
        return answer.headers["content-type"]
    body = answer.json()
    named = {error["field"] for error in body.get("errors", ())}
    if (
        not body["message"]
        or not set(body) <= SHAPE
        or any(set(e) != {"field", "message"} for e in body.get("errors", ()))
    ):
        return f"shape of {body}"
    if fields is not None and named != set(fields):
        return f"names {sorted(named)}, not {sorted(fields)}: {body['message'][:300]}"
    return None


def properties(operation):
    """Return the schemas of a body's fields, by name."""
    return schema_of(operation)["properties"]


def schema_of(operation):
    name = operation.schema["$ref"].rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name]


def queries(operation):
    """Return the names of an operation's query parameters."""
    described = DOCUMENT["paths"].get(operation.path, {}).get(operation.method.lower(), {})
    return {one["name"] for one in described.get("parameters", ()) if one["in"] == "query"}


@cache
def arguments(operation):
    """Return a body that would be taken."""
    return operation.body("badinput", bundle_list=[1])


def valid(operation):
    return arguments(operation)["json"]


def all_problems(checked, check):
    """Check every operation; return the problems by operation."""
    found = {str(operation): check(operation) for operation in checked}
    return {name: told for name, told in found.items() if told}


NO_OBJECTS = {
    "nothing": b"",
    "blanks": b" \n ",
    "broken": b'{"name": "100", ',
    "two objects": b"{}{}",
    "single quotes": b"{'name': '100'}",
    "a list": b'[{"name": "100"}]',
    "a number": b"12",
    "null": b"null",
    "a text": b'"{}"',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "100"}'.encode("utf-16"),
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "too deep in a key nobody knows": b'{"unknown": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
}


@pytest.mark.parametrize("name", NO_OBJECTS)
def test_a_body_that_is_no_json_object_is_refused_as_a_whole(house, unchanged, name):
    def check(operation):
        return problem(send(house, operation, NO_OBJECTS[name]), 400, fields={"body"})

    assert not all_problems(JSON_WRITES, check)


VALUES = {
    "a list": [],
    "a list of lists": [[]],
    "a list of objects": [{}],
    "a list of numbers that are no ids": [0],
    "an object": {},
    "true": True,
    "zero": 0,
    "minus one": -1,
    "a fraction": 1.5,
    "two to the 63rd": 2**63,
    "ten to the 400th": 10**400,
    "a word": "maybe",
    "digits": "12",
    "a NUL": "1\0002",
    "a bell": "a\a",
    "a newline at the end": "12345678\n",
    "a very long text": "7" * 20_000,
}


def refused(operation, value):
    """Return the fields whose schema does not take `value`; `"12"` passes as 12, 0 as false."""
    found = {name for name, schema in properties(operation).items() if not _takes(schema, value)}
    if isinstance(value, str) and value.isdigit() and len(value) < 19:
        found -= {name for name, schema in properties(operation).items() if '"integer"' in json.dumps(schema)}
    if value == 0:
        found -= {name for name, schema in properties(operation).items() if schema.get("type") == "boolean"}
    return found


def _takes(schema, value):
    return jsonschema_rs.Draft202012Validator(schema | {"components": DOCUMENT["components"]}).is_valid(value)


@pytest.mark.parametrize("name", VALUES)
def test_every_field_that_does_not_take_a_value_is_named(house, unchanged, name):
    def check(operation):
        fields = refused(operation, VALUES[name])
        body = valid(operation) | dict.fromkeys(fields, VALUES[name])
        sent = send(house, operation, json.dumps(body)) if fields else None
        return sent and problem(sent, 400, fields=fields)

    assert not all_problems(JSON_WRITES, check)


@pytest.mark.parametrize("token", ["1e400", "-1e400", "NaN", "Infinity", '"\\ud800"', '"a\\udc00b"'])
def test_what_json_can_write_but_nobody_can_keep_is_named(house, unchanged, token):
    def check(operation):
        first = next(iter(properties(operation)))
        body = json.dumps(valid(operation) | {first: "@@"}).replace('"@@"', token)
        return problem(send(house, operation, body), 400, fields={first})

    assert not all_problems(JSON_WRITES, check)


def test_a_key_that_comes_twice_is_named(house, unchanged):
    def check(operation):
        first, *_ = properties(operation)
        body = f'{{"{first}": null, {json.dumps(valid(operation) | {first: None})[1:]}'
        return problem(send(house, operation, body), 400, fields={first})

    assert not all_problems(JSON_WRITES, check)


def test_every_field_that_must_be_there_is_named(house, unchanged):
    creating = [one for one in JSON_WRITES if schema_of(one)["required"]]
    assert creating

    def check(operation):
        fields = schema_of(operation)["required"]
        empty = dict.fromkeys(fields[::2], "") | dict.fromkeys(fields[1::2])
        return problem(send(house, operation, json.dumps(empty)), 400, fields=fields) or problem(
            send(house, operation, "{}"), 400, fields=fields
        )

    assert not all_problems(creating, check)


def test_a_compressed_body_is_an_unsupported_one(house, unchanged):
    def check(operation):
        body = gzip.compress(json.dumps(valid(operation)).encode())
        return problem(
            send(house, operation, body, Content_Encoding="gzip"), 415, fields={"Content-Encoding"}
        )

    assert not all_problems(JSON_WRITES, check)


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x"]
)
def test_a_form_instead_of_json_is_an_unsupported_type(house, unchanged, media):
    def check(operation):
        sent = send(house, operation, b"name=100&type=phone", Content_Type=media)
        return problem(sent, 415, fields={"Content-Type"})

    assert not all_problems(JSON_WRITES, check)


def test_an_upload_that_is_none_is_refused(house, unchanged):
    uploads = [one for one in WRITES if one.media == "multipart/form-data"]
    assert uploads
    bodies = [(body, "application/json") for body in NO_OBJECTS.values()]
    bodies += [
        (body, "multipart/form-data; boundary=x") for body in (b"", b"--x", b"--x\r\n\r\n\r\n--x--", b"junk")
    ]
    bodies += [(b"--x--", "multipart/form-data"), (b"--x--", "multipart/form-data; boundary=")]

    def check(operation):
        found = [problem(send(house, operation, b, Content_Type=t), 400, 415) for b, t in bodies]
        return [told for told in found if told]

    assert not all_problems(uploads, check)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_a_413(house, unchanged, chunked):
    def check(operation):
        size = 12 if operation.media == "multipart/form-data" else 10
        media = operation.media + ("; boundary=x" if size == 12 else "")
        start = (
            b"--x\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
            if size == 12
            else b'{"x":"'
        )
        chunks = (start, *[b"7" * MEGABYTE] * size)
        body = iter(chunks) if chunked else b"".join(chunks)
        sent = send(house, operation, body, Content_Type=media)
        return problem(sent, 413, fields={"body"})

    assert not all_problems(WRITES, check)


@pytest.mark.parametrize(
    "media", ["application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", None]
)
def test_a_json_object_is_taken_whatever_it_is_called(tenant, media):
    one = tenant.extension()
    request = tenant.api.build_request("PUT", f"/client/@me/extension/{one}", content=b'{"label": "\\u0411"}')
    if media:
        request.headers["Content-Type"] = media
    assert tenant.api.send(request).json()["label"] == "Б"


def test_get_and_delete_come_with_a_content_type_and_no_body(server):
    house = Household(server.tenant()).furnish()
    ends = {"GET": {200, 503}, "DELETE": {200, 204, 404}}  # what one deletes, another can't
    for operation in sorted(OPERATIONS, key=lambda one: one.method, reverse=True):
        if operation.method in ends:
            for media in ("application/json", "application/x-www-form-urlencoded"):
                answer = send(house, operation, b"", Content_Type=media, Content_Length="0")
                assert answer.status_code in ends[operation.method], (str(operation), answer.text)


BAD_IDS = [
    *("0", "-1", "1e9", "1.0", "+1", "9" * 18, "9" * 20, "9" * 5000, "%D9%A1", "null"),
    *("@", "@*", "@**", "@0003*", "@99999", "@me*", "%00", "@%00", "@%00*100"),
    *("%2E%2E", "%2E%2E%2F", "x%2Fy", "%FF", "%20", "%27%3B--"),
]


@pytest.mark.parametrize("bad", BAD_IDS, ids=lambda bad: bad[:20])
def test_a_path_that_names_nothing_is_a_404_or_says_why(house, unchanged, bad):
    def check(operation):
        admin = house.tenant.server.admin
        paths = [path_of(house, operation, **{name: bad}) for name in operation.parameters]
        found = [
            problem(admin.request(operation.method, path, **arguments(operation)), 400, 404, 405)
            for path in paths
        ]
        return [told for told in found if told]

    assert not all_problems(OPERATIONS, check)


QUERIES = {
    "page": ["0", "-1", "x", "1.5", "1e3", str(10**13), "9" * 400],
    "per_page": ["0", "1001", "x"],
    "order": ["x", "desc;"],
    "extension_group_id": ["x"],
    "id": ["x", "-1", "9" * 20],
    "own_only": ["x"],
    "start_datetime": ["", "x", "2021-13-01", "2021-1-1 24:00:00"],
    "end_datetime": ["", "x", "2021-02-30"],
    "flow": ["x"],
    "state": ["x"],
    "seconds": ["x", "-1"],
    "extension_id": ["x", "-1", "9" * 20],
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_that_can_not_be_is_named(house, unchanged, name):
    def check(operation):
        path = path_of(house, operation)
        api = house.tenant.api if "/client/{client_id}" in operation.path else house.tenant.server.admin
        sent = [api.get(path, params=operation.query | {name: bad}) for bad in QUERIES[name]]
        return [told for told in (problem(answer, 400, fields={name}) for answer in sent) if told]

    listings = [one for one in OPERATIONS if name in queries(one)]
    assert listings
    assert not all_problems(listings, check)


@pytest.mark.parametrize("query", ["page=%00", "name=%00", "unknown=%00", "order=asc%00"])
def test_a_nul_in_a_query_is_refused(house, unchanged, query):
    def check(operation):
        return problem(
            house.tenant.server.admin.get(f"{path_of(house, operation)}?{query}"), 400, fields={"query"}
        )

    assert not all_problems(READS, check)


@pytest.mark.parametrize(
    "query",
    [
        "page=1&page=2",
        "order=asc&order=desc",
        "page[]=1",
        "%ff=1",
        "page=%ff",
        "&&==&%",
        "page=" + "1" * 4000,
    ],
)
def test_an_odd_query_is_answered(house, unchanged, query):
    for operation in READS:
        ends = "&seconds=0" if operation.path.endswith("/stream") else ""
        answer = house.tenant.server.admin.get(f"{path_of(house, operation)}?{query}{ends}")
        assert answer.status_code in (200, 400, 503), (str(operation), answer.text)


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
DISPOSITION = b"--x\r\nContent-Disposition: form-data; name="
GRANT = b"grant_type=client_credentials&client_id="
OAUTH = {
    "nothing": (b"", None),
    "json": (b'{"grant_type": "client_credentials"}', "application/json"),
    "not UTF-8": (b"grant_type=%ff&client_id=\xff", FORM),
    "a NUL": (GRANT + b"%00" + b"1" * 31 + b"&client_secret=%00", FORM),
    "half of a pair": (GRANT + b"%ed%a0%80&client_secret=%ed%a0%80", FORM),
    "thousands of parameters": (b"a=1&" * 20_000, FORM),
    "no boundary": (b"--x--", "multipart/form-data"),
    "half of a part": (DISPOSITION, PARTS),
    "a file": (DISPOSITION + b'"client_id"; filename="a"\r\n\r\nx\r\n--x--\r\n', PARTS),
}


@pytest.mark.parametrize("name", OAUTH)
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
def test_oauth_answers_bad_input_in_its_own_shape(server, unchanged, path, name):
    body, media = OAUTH[name]
    headers = {"Content-Type": media} if media else {}
    answer = server.admin.post(server.url + path, content=body, headers=headers)
    assert answer.status_code in (400, 401), answer.text
    assert set(answer.json()) == {"error", "error_description"}


@pytest.mark.parametrize("basic", ["Basic", "Basic =", "Basic /////w==", "Basic AAAA", "Basic OjpA"])
def test_oauth_answers_odd_credentials(server, unchanged, basic):
    answer = server.admin.post(
        server.url + "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
def test_oauth_refuses_a_body_too_large(server, path, chunked):
    chunks = (b"client_id=", *[b"7" * MEGABYTE] * 10)
    media = {"Content-Type": FORM}
    answer = server.admin.post(
        server.url + path, content=iter(chunks) if chunked else b"".join(chunks), headers=media
    )
    assert problem(answer, 413, fields={"body"}) is None
