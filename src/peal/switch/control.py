"""Questions to the running switch: JSON-RPC over HTTP, on loopback, with the key that Peal made."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from peal.errors import SwitchUnavailable
from peal.settings import Settings
from peal.switch import config

LIMIT_SECONDS = 1.0
HOST = "127.0.0.1"
_UNKNOWN = "AOR not found in location table"
"""What the switch says of a number without phones: an answer, not a failure."""


@dataclass(frozen=True)
class Question:
    """A procedure of the switch and its parameters."""

    method: str
    parameters: Sequence[str] = ()


@dataclass(frozen=True)
class Registered:
    """A phone that has registered."""

    registration_id: str
    contact_address: str
    real_address: str
    expires: datetime
    device: str | None


@dataclass(frozen=True)
class Status:
    """How the switch is."""

    uptime_seconds: int
    registered_phones: int
    calls_up: int
    poll_age_seconds: int | None
    """Since it last read the changes in the database; None: never since its start."""


class Refused(Exception):
    """The switch understood, and said no; the text is its own."""


class Control:
    """Asks the switch of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._key_file = config.home(settings) / config.KEY_FILE
        self._port = settings.control_port

    async def registered(self, addresses: Sequence[str]) -> list[list[Registered]]:
        """Return the phones that are registered for each address (`0003*101@domain`).

        Raises:
            SwitchUnavailable: the switch does not know at the moment, or did not say within a second.
        """
        questions = [Question("ul.lookup", ("location", address)) for address in addresses]
        return [_phones(answer) for answer in await self.ask(questions)]

    async def status(self) -> Status:
        """Return how the switch is.

        Raises:
            SwitchUnavailable: it did not say within a second.
        """
        uptime, phones, calls, good = await self.ask(
            [
                Question("core.uptime"),
                Question("cnt.get", ("usrloc", "location_contacts")),
                Question("cnt.get", ("dialog", "active_dialogs")),
                Question("htable.get", ("state", "good")),
            ]
        )
        if isinstance(uptime, Refused) or isinstance(phones, Refused) or isinstance(calls, Refused):
            raise SwitchUnavailable()
        age = None if isinstance(good, Refused) else int(time.time()) - int(good["item"]["value"])
        return Status(int(uptime["uptime"]), int(phones), int(calls), age)

    async def ask(self, questions: Sequence[Question]) -> list[Any]:
        """Return the answer to each, a `Refused` where there is none.

        All go out at once over one connection: a thousand take a quarter of a second.

        Raises:
            SwitchUnavailable: not all could be answered within a second.
        """
        if not questions:
            return []
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self._ask(questions)
        except (OSError, EOFError, ValueError, KeyError, asyncio.LimitOverrunError) as error:
            raise SwitchUnavailable() from error

    async def _ask(self, questions: Sequence[Question]) -> list[Any]:
        key = self._key_file.read_text("ascii")
        reader, writer = await asyncio.open_connection(HOST, self._port)
        try:
            writer.writelines(_request(key, number, asked) for number, asked in enumerate(questions))
            return [await _answer(reader, number) for number in range(len(questions))]
        finally:
            writer.close()


def _request(key: str, number: int, asked: Question) -> bytes:
    call = {"jsonrpc": "2.0", "id": number, "method": asked.method, "params": asked.parameters}
    body = msgspec.json.encode(call)
    head = (
        f"POST /rpc HTTP/1.1\r\nHost: {HOST}\r\nX-Peal-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("ascii") + body


async def _answer(reader: asyncio.StreamReader, number: int) -> Any:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    length = int(head.partition("\r\ncontent-length:")[2].partition("\r\n")[0])
    answer = msgspec.json.decode(await reader.readexactly(length))
    if answer["id"] != number:
        raise ValueError(f"answer {answer['id']} to question {number}")
    return Refused(answer["error"]["message"]) if "error" in answer else answer["result"]


def _phones(answer: Any) -> list[Registered]:
    if isinstance(answer, Refused):
        if str(answer) != _UNKNOWN:
            raise SwitchUnavailable() from answer
        return []
    contacts = (entry["Contact"] for entry in answer["Contacts"])
    return [_phone(contact) for contact in contacts if isinstance(contact["Expires"], int)]


def _phone(contact: dict[str, Any]) -> Registered:
    """Translate; the switch tells the life that is left, or in a word that there is none."""
    received = _given(contact["Received"])
    return Registered(
        registration_id=contact["Ruid"],
        contact_address=contact["Address"],
        real_address=_host_port(received or contact["Address"]),
        expires=datetime.now(UTC) + timedelta(seconds=contact["Expires"]),
        device=_given(contact["User-Agent"]),
    )


def _given(text: str) -> str | None:
    return None if text in ("", "[not set]", "n/a") else text


def _host_port(uri: str) -> str:
    return uri.partition(":")[2].rpartition("@")[2].partition(";")[0].partition("?")[0]
