"""Forms with files (`multipart/form-data`), read as they arrive and never larger than the route takes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from multipart import MultipartError, MultipartSegment, PushMultipartParser

from peal.errors import UnsupportedMediaType, bad_field
from peal.http.form import refuse_coding
from peal.http.principal import ApiRequest

ENVELOPE = 65_536
"""Bytes of a form beside its file, at most."""
MAX_PARTS = 20

_EXTENDED_NAME = re.compile(r";\s*filename\*\s*=\s*\"?utf-8'[^']*'([^;\"\s]+)", re.IGNORECASE)
"""The file's name as older HTTP libraries send one that is not ASCII."""


@dataclass
class Part:
    """One part of a form; `filename` None: not a file."""

    name: str
    filename: str | None
    content: bytearray = field(default_factory=bytearray)

    def text(self) -> str:
        """Return the content of a part that is no file."""
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise bad_field(self.name, "is not UTF-8") from error


async def parts(request: ApiRequest) -> list[Part]:
    """Return the parts of the body.

    Raises:
        BadRequest: it is no such form.
        UnsupportedMediaType: it does not call itself one.
        HTTPException: 413, as soon as it is too large.
    """
    refuse_coding(request.headers)
    content_type, options = request.content_type
    if content_type != "multipart/form-data":
        raise UnsupportedMediaType.of("Content-Type", "must be multipart/form-data")
    found: list[Part] = []
    try:
        with PushMultipartParser(options.get("boundary", ""), max_segment_count=MAX_PARTS) as parser:
            async for chunk in request.stream():
                _add(parser.parse(chunk), found)
                if parser.closed:
                    break
    except MultipartError as error:
        raise bad_field("body", f"is not valid multipart/form-data: {error}") from error
    return found


def _add(events: Iterable[MultipartSegment | bytearray | None], found: list[Part]) -> None:
    for event in events:
        if isinstance(event, MultipartSegment):
            found.append(Part(event.name, _filename(event)))
        elif event:
            found[-1].content.extend(event)


def _filename(segment: MultipartSegment) -> str | None:
    extended = _EXTENDED_NAME.search(segment.header("Content-Disposition", ""))
    return unquote(extended.group(1)) if extended else segment.filename
