"""Who phones in the bench: extensions of a database made by `data`, each with SIPp's password."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import data
from sip.sipp import PASSWORD

from peal.phones.model import ha1

DOMAIN = "pbx.test"


@dataclass(frozen=True)
class People:
    """The extensions of a database: `client` of each client, in bundles of `size`."""

    extensions: int
    size: int
    client: int

    def name(self, index: int) -> str:
        """Return the full number of the extension with this index from 0."""
        return f"{index // self.client + 1}*{1000 + index % self.client}"

    @property
    def mains(self) -> list[int]:
        return list(range(0, self.extensions, self.size))

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Who calls whom: each main extension that of another bundle of its client."""
        return [(self.name(self._next(main)), self.name(main)) for main in self.mains]

    def _next(self, main: int) -> int:
        return main // self.client * self.client + (main + self.size) % self.client

    def phones(self, ports: Sequence[int]) -> list[tuple[str, int]]:
        """Return the registrations of a bundle's members, one phone each: the first is the main one's."""
        return [(self.name(main + place), port) for main in self.mains for place, port in enumerate(ports)]

    def phones_of_one(self, ports: Sequence[int]) -> list[tuple[str, int]]:
        """Return those of all a bundle's phones at its main extension: what an engine without bundles has."""
        return [(self.name(main), port) for main in self.mains for port in ports]

    def give_passwords(self, url: str) -> None:
        """Let them all authenticate."""
        if url.startswith("sqlite"):
            proofs = [(self._proof(index), index + 1) for index in range(self.extensions)]
            with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
                connection.executemany("UPDATE phone SET ha1_md5 = ? WHERE extension_id = ?", proofs)
            connection.close()
        else:
            data.psql(url, _PROOFS.format(domain=DOMAIN, password=PASSWORD, extensions=self.extensions))

    def _proof(self, index: int) -> str:
        return ha1(self.name(index), DOMAIN, PASSWORD)["ha1_md5"]


_PROOFS = """
UPDATE phone SET ha1_md5 = md5(c.prefix || '*' || e.number || ':{domain}:{password}')
    FROM extension e JOIN client c ON c.id = e.client_id
    WHERE e.id = phone.extension_id AND e.id <= {extensions}
"""
