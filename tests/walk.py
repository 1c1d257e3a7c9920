"""Every route of the application, each with a request that its owner would send.

Routes come from the router, bodies from the OpenAPI document: a new route is walked by itself. Where
a body can't be guessed from its schema, `SAMPLES` says what to send.
"""

import itertools
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from litestar import Litestar
from parts import Api, Tenant, look
from sqlalchemy import insert, select

from peal.app import create_litestar
from peal.calls.ids import call_api_id
from peal.calls.tables import call, call_extension, leg
from peal.events.tables import delivery, notice, subscription
from peal.http.document import document
from peal.kit import dates
from peal.settings import Settings

PREFIX = "/api/ver1.0"
WAV = b"RIFF\x28\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\4\0\0\0\0\0\0\0"
_serial = itertools.count()

SAMPLES = {
    "type": lambda _: "phone",
    "prefix": lambda marker: f"{marker}{next(_serial)}",
    "domain": lambda _: "walk.test",
    "match_exp": lambda _: "^7(.*)$",
    "password": lambda marker: f"password {marker}",
    "timezone": lambda _: "Asia/Omsk",
    "action": lambda _: "transfer",
    "url": lambda marker: f"https://crm.example/{marker}",
}
"""Fields whose schema does not say enough, or too much; by name."""


@dataclass(frozen=True)
class Operation:
    """A method of a route; `path` is a template, `schema` that of its body."""

    method: str
    path: str
    media: str | None
    schema: dict[str, Any] | None = field(hash=False)
    query: dict[str, str] = field(hash=False, default_factory=dict)
    "What its query must hold, so that it has an answer, and an end."

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def body(self, marker: str, **known: Any) -> dict[str, Any]:
        """Return the arguments of a request: a body that is taken, its texts are `marker`."""
        if self.schema is None:
            return {}
        number = {}
        if self.path.endswith("/extension"):
            number = {"name": str(500 + next(_serial) % 500)}
        if self.path.endswith("/did"):
            number = {"name": f"7812{secrets.randbelow(10**8):08}"}
        values = sample(self.schema, f"{marker}x{next(_serial)}", known | number)
        if "bundle_list" in values:
            values.pop("extension_id", None)  # its other name
        if self.media != "multipart/form-data":
            return {"json": values}
        files = {name: ("a.wav", value) for name, value in values.items() if isinstance(value, bytes)}
        return {"files": files, "data": {k: v for k, v in values.items() if k not in files}}


@cache
def application() -> tuple[Litestar, dict[str, Any]]:
    """Return the application, which nobody starts, and its OpenAPI document."""
    app = create_litestar(Settings(database_url="sqlite:////never-opened"))
    return app, document(app)


@cache
def operations(below: str = PREFIX) -> list[Operation]:
    """Return what the router knows below a path, without the framework's own OPTIONS."""
    routes, paths = application()[0].routes, application()[1]["paths"]
    found = []
    for route in routes:
        path = re.sub(r":\w+}", "}", route.path)
        for method in sorted(getattr(route, "methods", ())):
            if path.startswith(below) and method != "OPTIONS":
                described = paths.get(path, {}).get(method.lower(), {})
                content = described.get("requestBody", {}).get("content", {})
                media, schema = next(((m, c["schema"]) for m, c in content.items()), (None, None))
                query = {
                    each["name"]: each["schema"]["examples"][0]
                    for each in described.get("parameters", ())
                    if each["in"] == "query" and (each.get("required") or each["name"] == "seconds")
                }
                found.append(Operation(method, path, media, schema, query))
    return found


def sample(schema: dict[str, Any], marker: str, known: dict[str, Any], name: str = "") -> Any:
    """Return a value that `schema` takes; None: none can be made up."""
    schema = _resolved(schema)
    if name in known:
        return known[name]
    if name in SAMPLES:
        return SAMPLES[name](marker)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            made = {n: sample(s, marker, known, n) for n, s in schema.get("properties", {}).items()}
            return {n: value for n, value in made.items() if value is not None}
        case "array":
            return schema["examples"][0] if "examples" in schema else _listed(schema, marker, known)
        case "boolean":
            return True
        case "integer":
            return None if schema.get("maximum", 0) > 2**31 else 3
        case "string":
            return WAV if _is_file(schema) else _text(schema, marker)
    return None


def _listed(schema: dict[str, Any], marker: str, known: dict[str, Any]) -> list[Any] | None:
    one = sample(schema["items"], marker, known)
    return None if one is None else [one]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        schema = application()[1]["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in schema.get("oneOf", schema.get("anyOf", ())):
        if choice.get("type") != "null":
            return _resolved({k: v for k, v in schema.items() if k not in ("oneOf", "anyOf")} | choice)
    return schema


def _is_file(schema: dict[str, Any]) -> bool:
    return "contentMediaType" in schema or schema.get("format") == "binary"


def _text(schema: dict[str, Any], marker: str) -> str | None:
    for text in (marker, "RU", "77"):
        if re.search(schema.get("pattern", ""), text) and len(text) <= schema.get("maxLength", 1000):
            return text
    return None


@dataclass
class Household:
    """A client that has one of everything, and two phones; all texts of its things hold `marker`."""

    tenant: Tenant
    marker: str = field(default_factory=lambda: f"m{secrets.token_hex(4)}")
    ids: dict[str, Any] = field(default_factory=dict)
    other: int = 0
    number: str = ""
    "Outside, of its own."
    extension: str = ""
    "Full number of its first one."

    def furnish(self) -> "Household":
        """Make one of everything that a POST on a collection makes."""
        self.ids["client_id"] = self.tenant.id
        self.other = self.tenant.extension(label=f"other of {self.marker}")
        for operation in sorted(operations(), key=lambda o: len(o.parameters)):
            parameter = _element_of(operation)
            if parameter and parameter not in self.ids:
                admin = operation.path.startswith(f"{PREFIX}/admin/")
                made = self.send(self.tenant.server.admin if admin else self.tenant.api, operation)
                assert made.status_code == 201, f"{operation}: {made.text}; tell tests/walk.py what to send"
                self.ids[parameter] = made.json()["id"]
                if parameter == "did_id":
                    self.number = made.json()["name"]
                if parameter == "extension_id":
                    self.extension = made.json()["name"]
        self._phone()
        self._subscribe()
        return self

    def _subscribe(self):
        """Leave deliveries behind that were given up, and one subscription more of the extension's."""
        path = f"/extension/{self.ids['extension_id']}/event/"
        more = {"url": f"https://crm.example/{self.marker}", "event_type": "answer", "method": "GET"}
        assert self.tenant.api.post(path, json=more).status_code == 201
        told = {"client_id": self.tenant.id, "extension_id": self.ids["extension_id"], "seq": 1}
        told |= {"event_type": "hangup", "flow": "in", "call_id": secrets.token_hex(16)}
        statement = insert(notice).values(**told, parameters={"CallID": self.marker}).returning(notice.c.id)
        [[made]] = look(self.tenant.server.database, statement)
        waits = dict.fromkeys(("waits_since", "due_at", "done_at"), dates.now())
        for parameter, of in (("delivery_id", "event_id"), ("phone_delivery_id", "phone_event_id")):
            theirs = select(subscription.c.id, subscription.c.subscriber_id, subscription.c.client_id)
            [[row]] = look(self.tenant.server.database, theirs.where(subscription.c.id == self.ids[of]))
            row = {"subscription_id": row.pop("id"), **row, "notice_id": made["id"], "topic": "walk", **waits}
            statement = insert(delivery).values([{**row, "state": "parked"}] * 2).returning(delivery.c.id)
            self.ids[parameter] = look(self.tenant.server.database, statement)[0][0]["id"]

    def _phone(self):
        """Leave calls behind: its phone called, and was refused; and it calls now."""
        call_id, live_id = secrets.token_hex(16), secrets.token_hex(16)
        self.ids["call_api_id"] = call_api_id(self.ids["extension_id"], live_id)
        self.ids["call_uuid"] = call_id.upper()
        own = {
            "client_id": self.tenant.id,
            "extension_id": self.ids["extension_id"],
            "init_time": dates.now(),
        }
        end = {"hangup_cause": "CALL_REJECTED", "hangup_disposition": "internal_cancel", "result": "failed"}
        now = own | {"flow": "out", "extension_number": self.marker}
        both = now | end | {"hangup_time": own["init_time"]}
        texts = dict.fromkeys(("domain", "from_username", "to_username", "dialled"), self.marker)
        look(
            self.tenant.server.database,
            insert(call).values(id=call_id, **both, **texts),
            insert(leg).values(call_id=call_id, n=0, part_id=call_id, **both),
            insert(call_extension).values(call_id=call_id, **own),
            insert(call).values(id=live_id, **now, **texts),
            insert(leg).values(call_id=live_id, n=0, part_id=live_id, **now),
            insert(call_extension).values(call_id=live_id, **own),
        )

    def send(
        self,
        api: Api | httpx.Client,
        operation: Operation,
        *,
        method: str = "",
        slash: str = "",
        headers: dict[str, str] | None = None,
        **places: Any,
    ) -> httpx.Response:
        """Send a request that this household's owner could send; `places` in the path, if not its own."""
        url = httpx.URL(str(api.base_url)).copy_with(path="/")
        path = operation.path.format_map(self.ids | places)
        known = {"bundle_list": [self.other], "ani_number": self.number, "src_num": [self.extension]}
        if "/did" in operation.path:
            known |= {"client_id": self.tenant.id, "extension_id": self.other}
        body = operation.body(self.marker, **known) if method in ("", "PUT", "POST") else {}
        if operation.query:
            body["params"] = operation.query
        return api.request(method or operation.method, url.join(path + slash), headers=headers, **body)


def late(operation: Operation) -> tuple[bool, bool, int]:
    """Say how late it may come: what takes others' things with it comes last."""
    whole_extension = operation.path.endswith("/extension/{extension_id}")
    return operation.path.startswith(f"{PREFIX}/admin/"), whole_extension, -len(operation.path)


def _element_of(operation: Operation) -> str | None:
    """Return the name of the id that a POST on this collection makes."""
    if operation.method != "POST":
        return None
    found: Iterator[str] = (
        o.parameters[-1]
        for o in operations()
        if re.fullmatch(re.escape(operation.path) + r"/{\w+}", o.path) and o.parameters
    )
    return next(found, None)
