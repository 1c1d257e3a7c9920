"""Questions to the running switch: JSON-RPC over HTTP, on loopback, with the key that Peal made."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from peal.calls.callback import Callback
from peal.errors import NotFound, SwitchUnavailable
from peal.kit.numbers import full_name
from peal.settings import Settings
from peal.switch import config

LIMIT_SECONDS = 1.0
FOLLOW_SECONDS = 5.0
"""How long a phone may take to do what it is asked to: answer, and call."""
_LOOK_SECONDS = 0.05
HOST = "127.0.0.1"
_UNKNOWN = "AOR not found in location table"
"""What the switch says of a number without phones: an answer, not a failure."""
_NO_KEY = "Key name doesn't exist in htable."
"""What it says of a call that it does not have."""


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

    async def live(self, calls: Sequence[str]) -> set[str]:
        """Return which of these calls the switch has.

        Raises:
            SwitchUnavailable: it does not know at the moment, or did not say within a second.
        """
        knows, *found = await self.ask(
            [Question("htable.get", ("state", "live")), *(Question("htable.get", ("live", c)) for c in calls)]
        )
        if isinstance(knows, Refused):
            raise SwitchUnavailable()
        return {call for call, answer in zip(calls, found, strict=True) if _has(answer)}

    async def hang_up(self, call: str) -> bool:
        """End a call, whether it rings or talks; return whether there was one.

        Raises:
            SwitchUnavailable: it did not say within a second.
        """
        return await self._command(call, "hangup") == HTTPStatus.OK

    async def refer(self, call: str, from_caller: bool, number: str, takes: str | None = None) -> bool:
        """Have the phone of the other side call a number instead; return whether it has begun to.

        `from_caller`: whether the caller's side gives the call away, else the called one's.
        `takes`: the short number of the extension whose phones alone take the new call; None: all that ring.
        If it is answered the old call ends; if the phone does not call in time, it must not any more.

        Raises:
            NotFound: there is no such call, or it has ended meanwhile.
            SwitchUnavailable: the switch did not say within a second.
        """
        asked = "callee" if from_caller else "caller"
        try:
            done = await self._command(call, "refer", f"{asked}|{number}|{takes or '-'}")
            if done == HTTPStatus.NOT_FOUND:
                raise NotFound()
            return done == HTTPStatus.OK and (await self._follows(call) or not await self._forget(call))
        except (SwitchUnavailable, asyncio.CancelledError):
            with suppress(SwitchUnavailable):
                await self._forget(call)
            raise

    async def _forget(self, call: str) -> bool:
        """Let a call that the phone makes from now on be an ordinary one; return whether it has made none."""
        return await self._command(call, "forget") == HTTPStatus.OK

    async def call_back(self, call: str, wanted: Callback) -> None:
        """Ring an extension; its phone that answers is asked to call a number.

        `call`: the id that the call shall have, 32 hex.

        Raises:
            SwitchUnavailable: the switch does not take it now.
        """
        fields = [
            full_name(wanted.rung.prefix, wanted.rung.extension),
            wanted.rung.domain,
            ",".join(wanted.rung.only) or "-",
            wanted.number,
            wanted.shown_number,
            str(wanted.ring_ms),
            str(wanted.longest_seconds),
            re.sub(r'["\\|]', "", wanted.shown_name),  # as of who calls from outside, see incoming.cfg
        ]
        if await self._command(call, "callback", "|".join(fields)) != HTTPStatus.OK:
            raise SwitchUnavailable()

    async def _follows(self, call: str) -> bool:
        """Wait until a phone calls whom it was asked to call, or has refused."""
        end = time.monotonic() + FOLLOW_SECONDS
        while time.monotonic() < end:
            said, follows, live = await self.ask(
                [
                    Question("htable.get", ("refer", f"{call};said")),
                    Question("htable.get", ("refer", f"{call};follows")),
                    Question("htable.get", ("live", call)),
                ]
            )
            if _has(follows):
                return True
            if not _has(live):
                raise NotFound()
            if _has(said):
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return False

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
        async with self._line() as line:
            for number, asked in enumerate(questions):
                line.post("/rpc", _request(number, asked))
            return [_answer(await line.read(), number) for number in range(len(questions))]

    async def _command(self, call: str, command: str, body: str = "") -> int:
        """Have something done to a call; return the status of the answer."""
        async with self._line() as line:
            line.post(f"/call/{call}/{command}", body.encode())
            return (await line.read()).status

    @asynccontextmanager
    async def _line(self) -> AsyncIterator["_Line"]:
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                key = self._key_file.read_text("ascii")
                reader, writer = await asyncio.open_connection(HOST, self._port)
                try:
                    yield _Line(reader, writer, key)
                finally:
                    writer.close()
        except (OSError, EOFError, ValueError, KeyError, asyncio.LimitOverrunError) as error:
            raise SwitchUnavailable() from error


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes


@dataclass(frozen=True)
class _Line:
    """A connection to the switch; its answers come in the order of what was posted."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    key: str

    def post(self, path: str, body: bytes = b"") -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nX-Peal-Key: {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode("ascii") + body)

    async def read(self) -> _Answer:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("\r\ncontent-length:")[2].partition("\r\n")[0])
        return _Answer(int(head.split(" ", 2)[1]), await self.reader.readexactly(length))


def _request(number: int, asked: Question) -> bytes:
    call = {"jsonrpc": "2.0", "id": number, "method": asked.method, "params": asked.parameters}
    return msgspec.json.encode(call)


def _answer(told: _Answer, number: int) -> Any:
    answer = msgspec.json.decode(told.body)
    if answer["id"] != number:
        raise ValueError(f"answer {answer['id']} to question {number}")
    return Refused(answer["error"]["message"]) if "error" in answer else answer["result"]


def _has(answer: Any) -> bool:
    if isinstance(answer, Refused):
        if str(answer) != _NO_KEY:
            raise SwitchUnavailable() from answer
        return False
    return True


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
