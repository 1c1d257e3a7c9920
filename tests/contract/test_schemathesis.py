"""Schemathesis: whatever the document allows, and much that it does not, over the whole API.

No answer is a 5xx but the documented 503 `switch_unavailable`; every status, content type, header and
body is one that the document tells of. With SLOW=1 ten times as many examples.

Not checked: that all which fits the document is taken (ids must exist, numbers be free, rules compile:
no schema can say so), and that all which does not fit is refused (the contract tolerates "12" for 12,
null for absent, unknown keys); what fields refuse is in test_bad_input.py.
"""

import itertools
import zlib
from dataclasses import dataclass, field

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from parts import SLOW, Server
from schemathesis.specs.openapi import checks
from walk import WAV, Household, application

WHERE_AND_WHO = [("sqlite", "administrator"), ("postgresql", "client")]
if SLOW:
    WHERE_AND_WHO += [("sqlite", "client"), ("postgresql", "administrator")]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
API = schemathesis.openapi.from_dict(application()[1])
SOUNDS = (
    "hold_music",
    "ringback_sound",
    "announce_sound_upon_outgoing_call",
    "announce_sound_upon_incoming_call",
)
NAMES = {**dict.fromkeys(SOUNDS, "sound_id"), "sip_network_permission_id": "permission_id"}


@dataclass
class Caller:
    """Who asks, and what there is to ask for: random ids alone would find nothing but 404."""

    server: Server
    role: str
    houses: dict[str, Household] = field(default_factory=dict)
    session: requests.Session = field(default_factory=requests.Session)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(600))

    def call(self, case):
        """Send the case, most ids in it replaced by real ones."""
        house = self._house(case.operation.label if case.operation.method == "delete" else "")
        api = house.tenant.api if self.role == "client" else self.server.admin
        case.path_parameters = self._real(house, case.path_parameters)
        case.body = self._real(house, case.body)
        if "/sound" in case.path and isinstance(case.body, dict) and "file" in case.body:
            case.body["file"] = WAV
        if case.path.endswith("/stream"):
            case.query["seconds"] = 0  # it would have no end otherwise
        if case.path.startswith("/oauth") and isinstance(case.body, dict):
            case.body |= {
                name: key for name, key in api.keys.items() if name in case.body and gives_way(case.body)
            }
        return case.call(self.server.url, self.session, {"Authorization": f"Bearer {api.token}"})

    def _house(self, name):
        """Return the client that has one of everything; each DELETE takes from one of its own."""
        if name not in self.houses:
            made = self.houses[name] = Household(self.server.tenant()).furnish()
            assert made.tenant.bundle(made.ids["extension_id"], made.other).status_code == 201
        return self.houses[name]

    def _real(self, house, values):
        if not isinstance(values, dict):
            return values
        return {name: self._real_one(house, name, value) for name, value in values.items()}

    def _real_one(self, house, name, value):
        known = house.ids.get(NAMES.get(name, name))
        if not isinstance(value, str | int | list) or isinstance(value, bool) or not gives_way(value):
            return value
        if name == "bundle_list" or (name == "extension_id" and isinstance(value, list)):
            return [house.other]
        if name == "name" and isinstance(value, str):
            return str(next(self.numbers))[:3]
        if name == "grant_type":
            return "client_credentials"
        return value if known is None or isinstance(value, list) else known


def gives_way(value):
    """Whether this one of the generated values gives way to a real one: most do, always the same."""
    return zlib.crc32(repr(value).encode("utf-8", "surrogatepass")) % 6 > 0


@pytest.fixture(scope="module")
def server(own_server):
    """One that holds nothing but what these requests make."""
    return own_server


@pytest.fixture(scope="module")
def caller(request, server):
    """Either of those who use the API."""
    made = Caller(server, request.param)
    yield made
    made.session.close()


@pytest.mark.parametrize(("own_server", "caller"), WHERE_AND_WHO, indirect=True)
@API.parametrize()
@settings(
    max_examples=100 if SLOW else 10,
    deadline=None,
    database=None,
    derandomize=not SLOW,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_documented(case, caller):
    response = caller.call(case)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 500:
        assert (response.status_code, response.json()["status"]) == (503, "switch_unavailable")
    if response.status_code == 400 and not case.path.startswith("/oauth"):
        assert response.json()["status"]
