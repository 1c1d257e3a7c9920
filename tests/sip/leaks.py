"""Where a word stands in messages: in the open, percent-encoded, or packed in base64 or hex."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from sip.message import Message

COUNTERS = {"cseq", "content-length", "max-forwards"}
PLACE = re.compile(r";did=[0-9a-f]+\.[0-9a-f]+")
"""Where the switch keeps the call, a hash of its Call-ID; one in some thousands looks like a number."""


def leaks(word: str, messages: Iterable[Message]) -> list[str]:
    """The lines in which the word stands by itself, each after the message it belongs to."""
    return [
        f"{message.start_line} | {line}"
        for message in messages
        for line in _lines(message)
        if any(_holds(word, reading) for reading in _readings(PLACE.sub("", line)))
    ]


def _lines(message: Message) -> Iterator[str]:
    yield message.start_line
    yield from (f"{name}: {value}" for name, value in message.headers if name.lower() not in COUNTERS)
    yield from message.body.splitlines()


def _holds(word: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text) is not None


def _readings(line: str) -> Iterator[str]:
    yield line
    yield unquote(line)
    for packed in re.findall(r"[A-Za-z0-9+/_-]{6,}={0,2}", line):
        yield from filter(str.isprintable, _unpacked(packed))


def _unpacked(packed: str) -> Iterator[str]:
    text = packed.rstrip("=")
    for decode in (_base64, bytes.fromhex):
        try:
            yield decode(text).decode("ascii")
        except (ValueError, binascii.Error):
            continue


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.replace("+", "-").replace("/", "_") + "=" * (-len(text) % 4))
