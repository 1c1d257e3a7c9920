"""What a sound's content is, pure: told by its bytes, never by its name or by what the sender says."""

from collections.abc import Iterator
from typing import Literal

Format = Literal["wav", "mp3"]

MAX_BYTES = 10 * 1024 * 1024
"""Bytes of a sound, at most."""
MAX_NAME = 255

_KBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HERTZ = (44100, 48000, 32000)
_SLOWER = {3: 1, 2: 2, 0: 4}
"""MPEG version bits (1, 2, 2.5) and by what they divide the sampling rates."""


def format_of(content: bytes) -> Format | None:
    """Return what `content` is; None: neither WAV nor MP3."""
    if _is_wav(content):
        return "wav"
    return "mp3" if _is_mp3(content) else None


def file_name(sent: str, sound_format: Format) -> str:
    """Return the name of a file without folders and without what can't be printed."""
    last = sent.replace("\\", "/").rpartition("/")[2]
    printable = "".join(letter for letter in last if letter.isprintable()).strip()
    return printable[-MAX_NAME:] or f"sound.{sound_format}"


def _is_wav(content: bytes) -> bool:
    """Look for a format of at least one channel and a rate, and samples after it."""
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return False
    known = False
    for name, start, size in _chunks(content):
        if name == b"fmt ":
            channels, rate = content[start + 2 : start + 4], content[start + 4 : start + 8]
            known = size >= 16 and any(channels) and any(rate)
        elif name == b"data":
            return known and start < len(content)
    return False


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    start = 12
    while start + 8 <= len(content):
        size = int.from_bytes(content[start + 4 : start + 8], "little")
        yield content[start : start + 4], start + 8, size
        start += 8 + size + size % 2


def _is_mp3(content: bytes) -> bool:
    """Look for two frames in a row, after the tag and its padding; or one that is all."""
    start = _after_tag(content)
    while content[start : start + 1] == b"\0":
        start += 1
    size = _frame(content, start)
    return size > 0 and (start + size == len(content) or _frame(content, start + size) > 0)


def _after_tag(content: bytes) -> int:
    if content[:3] != b"ID3" or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:
        size = size * 128 + byte % 128
    return 10 + size + (10 if content[5] & 0x10 else 0)


def _frame(content: bytes, start: int) -> int:
    """Return the length of the layer III frame at `start`; 0: there is none."""
    head = int.from_bytes(content[start : start + 4], "big")
    version, layer, bits, rate = head >> 19 & 3, head >> 17 & 3, head >> 12 & 15, head >> 10 & 3
    if head >> 21 != 0x7FF or version == 1 or layer != 1 or bits in (0, 15) or rate == 3:
        return 0
    kbits, samples = (_KBITS_1, 144) if version == 3 else (_KBITS_2, 72)
    return samples * 1000 * kbits[bits] // (_HERTZ[rate] // _SLOWER[version]) + (head >> 9 & 1)
