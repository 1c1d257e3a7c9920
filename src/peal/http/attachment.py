"""Answers to save as a file."""

import re
from urllib.parse import quote

from litestar import Response

_UNSAFE = re.compile(r'[^\x20-\x7e]|["\\%]')


def attachment(content: bytes, media_type: str, filename: str) -> Response[bytes]:
    """Answer `content` as a file; no browser guesses another type, or shows it in a page."""
    headers = {"Content-Disposition": disposition(filename), "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


def disposition(filename: str) -> str:
    """Return the header's value (RFC 6266), with the true name beside (RFC 8187) where ASCII can't say it."""
    plain = _UNSAFE.sub("_", filename)
    value = f'attachment; filename="{plain}"'
    return value if plain == filename else f"{value}; filename*=UTF-8''{quote(filename, safe='')}"
