"""Outside lines of an office: trunks, numbers, and the network behind."""

import itertools
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from parts import answers_until
from sip.call import Leg
from sip.digest import Challenge
from sip.exchange import SOON, Office
from sip.message import Message
from sip.phone import Phone

E = "79161234567"
"""A number outside, behind a trunk."""
_serial = itertools.count(1)


def fresh_number() -> str:
    """A number outside that no other test has."""
    return f"7495{secrets.randbelow(10**7):07}"


@dataclass
class Line:
    """A trunk, and the phone that plays the network behind it: E."""

    id: int
    phone: Phone


def ask(leg: Leg, realm: str) -> None:
    """Refuse a call for want of credentials."""
    leg.decline(
        407, {"Proxy-Authenticate": f'Digest realm="{realm}", nonce="{secrets.token_hex(8)}", qop="auth"'}
    )


def proves(message: Message, login: str, password: str, header: str = "Proxy-Authorization") -> bool:
    """Whether the credentials of a request are those of this login and password."""
    given = Challenge.parse("", message.headers[header])
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', message.headers[header]))
    given.qop, given.used = "auth", int(fields["nc"], 16) - 1
    answer = given.answer(message.method, fields["uri"], login, password, fields["cnonce"])
    return f'response="{fields["response"]}"' in answer and fields["username"] == login


@dataclass
class Outside:
    """What lies beyond an office; gone with the test."""

    office: Office
    lines: list[Line] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    elsewhere: int = 0
    "A client of no other use."

    @property
    def admin(self):
        return self.office.exchange.api.admin

    def line(self, *, of: int | None = 0, **fields) -> Line:
        """A trunk of the office, or of the client `of` (None: of all)."""
        phone = self.network(fields.pop("bind", None), fields.get("transport", "udp"))
        host, port = phone.transport.local
        body = {
            "name": f"Trunk {next(_serial)}",
            "client_id": self.office.tenant.id if of == 0 else of,
            "host": host,
            "port": port,
        } | fields
        made = self.admin.post("/admin/trunk/", json=body)
        assert made.status_code == 201, made.text
        line = Line(made.json()["id"], phone)
        self.lines.append(line)
        return line

    def settle(self):
        """Wait until all that was changed so far is in force, as long as that may take: the switch reads
        changes in their order, and of a new trunk it shows."""
        if not self.elsewhere:
            self.elsewhere = self.office.exchange.api.tenant().id
        asking = self.line(of=self.elsewhere).phone
        answers_until(404, lambda: asking.invite("5").final().status, SOON)

    def network(self, bind: str | None = None, transport: str = "udp") -> Phone:
        """A phone at an address of its own, that holds no number of an extension; it calls as E."""
        address = bind or ".".join(["127", *(str(secrets.randbelow(90) + 3) for _ in range(3))])
        proxy = ("127.0.0.1", self.office.exchange.port)
        phone = Phone(E, domain="outside.test", proxy=proxy, transport=transport, bind=address)
        self.office.stack.enter_context(phone)
        return phone

    def number(self, extension: str | None = None, client_id: int | None = None) -> str:
        """A number of the office (or another client), bound to one of its extensions."""
        name = fresh_number()
        owner = client_id or self.office.tenant.id
        made = self.admin.post("/admin/did/", json={"name": name, "client_id": owner})
        assert made.status_code == 201, made.text
        self.numbers.append(made.json()["id"])
        if extension:
            path = f"/client/@me/did/{made.json()['id']}"
            bound = self.office.tenant.api.put(path, json={"extension_id": self.office.ids[extension]})
            assert bound.status_code == 200, bound.text
        return name

    def show(self, number: str | None, extension: str | None = None, *, by=None):
        """Let the calls of an extension, or of the office, show a number."""
        path = f"/extension/{self.office.ids[extension]}/ani/" if extension else None
        path = path or f"/client/{self.office.tenant.id}/ani/"
        set_to = (by or self.office.tenant.api).put(path, json={"ani_number": number})
        assert (set_to.status_code, set_to.json()) == (200, {"default": number})

    def rules(self, *rules: tuple[str, str]) -> int:
        """A list of dial rules."""
        body = {"dial_rules": [{"match_exp": match, "repl_exp": repl} for match, repl in rules]}
        made = self.office.tenant.api.post("/client/@me/dial_rule/", json=body)
        assert made.status_code == 201, made.text
        return made.json()["id"]


@contextmanager
def outside_of(office: Office) -> Iterator[Outside]:
    """Trunks of all would serve other tests, too: they go at the end."""
    beyond = Outside(office)
    try:
        yield beyond
    finally:
        for line in beyond.lines:
            beyond.admin.delete(f"/admin/trunk/{line.id}")
        for number in beyond.numbers:
            beyond.admin.delete(f"/admin/did/{number}")
