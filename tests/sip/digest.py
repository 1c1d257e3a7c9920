"""Digest authentication of a client: RFC 7616 and 8760, `qop=auth` and without."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sip.message import Message

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
ANSWERS = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}


@dataclass
class Challenge:
    """A challenge, and how often its nonce was used."""

    header: str
    "The header its answer goes into."
    realm: str
    nonce: str
    algorithm: str | None = None
    qop: str = ""
    opaque: str | None = None
    stale: bool = False
    used: int = 0

    @classmethod
    def parse(cls, header: str, value: str) -> "Challenge":
        found = re.findall(r'(\w+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^\s,]+))', value)
        fields = {name.lower(): quoted or plain for name, quoted, plain in found}
        return cls(
            header=header,
            realm=fields["realm"],
            nonce=fields["nonce"],
            algorithm=fields.get("algorithm"),
            qop="auth" if "auth" in re.split(r"[,\s]+", fields.get("qop", "")) else "",
            opaque=fields.get("opaque"),
            stale=fields.get("stale", "").lower() == "true",
        )

    @property
    def known(self) -> bool:
        return (self.algorithm or "MD5").upper() in HASHES

    def answer(self, method: str, uri: str, user: str, password: str, cnonce: str | None = None) -> str:
        """The value of the header that proves the password."""
        self.used += 1
        count, cnonce = f"{self.used:08x}", cnonce or secrets.token_hex(8)
        middle = [self.nonce, count, cnonce, "auth"] if self.qop else [self.nonce]
        secret, what = self._hash(user, self.realm, password), self._hash(method, uri)
        fields = [
            f'username="{user}"',
            f'realm="{self.realm}"',
            f'nonce="{self.nonce}"',
            f'uri="{uri}"',
            f'response="{self._hash(secret, *middle, what)}"',
        ]
        fields += [f"algorithm={self.algorithm}"] if self.algorithm else []
        fields += [f'opaque="{self.opaque}"'] if self.opaque is not None else []
        fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"'] if self.qop else []
        return "Digest " + ", ".join(fields)

    def _hash(self, *parts: str) -> str:
        return HASHES[(self.algorithm or "MD5").upper()](":".join(parts).encode()).hexdigest()


def challenges(response: Message) -> Iterable[Challenge]:
    """The first challenge of each kind that we can answer: the server puts the best first."""
    for header, answer in ANSWERS.items():
        parsed = (Challenge.parse(answer, value) for value in response.headers.all(header))
        yield from [challenge for challenge in parsed if challenge.known][:1]
