"""The way of the switch's commands to the relay: through a file that only the switch's user may open.

The relay takes commands over TCP. Over UDP it would obey what it sends itself: media to the address of its
command port, which any session description may name.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import structlog

log = structlog.get_logger()
FILE = "relay.sock"
"""In the switch's folder."""
HOST = "127.0.0.1"
ANSWER_SECONDS = 0.3
"""A worker of the switch waits for the relay, so not for long."""
LONGEST = 262_144
"""Bytes of a command: the switch takes no longer messages."""


@asynccontextmanager
async def taking_commands(folder: Path, port: int, owner: tuple[int, int] | None) -> AsyncIterator[None]:
    """Take commands in `folder` for the relay at `port`; `owner`, a user and group, is who may give them."""
    line = _Line(port)
    server = await asyncio.start_unix_server(line.command, sock=_listen(folder, owner), limit=LONGEST)
    async with server:
        yield


async def answers(port: int) -> bool:
    """Return whether the relay at `port` obeys."""
    try:
        return b"pong" in await _Line(port).ask(b"d7:command4:pinge")
    except (OSError, EOFError, ValueError):
        return False


def _listen(folder: Path, owner: tuple[int, int] | None) -> socket.socket:
    """Return a socket that waits at the file, named from the folder: a whole path may be too long."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    file = f"/proc/self/fd/{opened}/{FILE}"
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        (folder / FILE).unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            listening.bind(file)
        finally:
            os.umask(mask)
        if owner:
            os.chown(file, *owner, follow_symlinks=False)
    except OSError:
        listening.close()
        raise
    finally:
        os.close(opened)
    return listening


class _Line:
    """Each command comes by a connection of its own, and goes on by another one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._numbers = count()

    async def command(self, asked: asyncio.StreamReader, answering: asyncio.StreamWriter) -> None:
        """Bring a command to the relay and its answer back; where there is none the connection just ends."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answering.write(await self.ask(await _dictionary(asked)))
        except (OSError, EOFError, ValueError) as error:  # a time-out is an OSError
            log.warning("relay_does_not_answer", error=str(error) or type(error).__name__)
        finally:
            answering.close()

    async def ask(self, command: bytes) -> bytes:
        """Return the relay's answer; the number before a command tells a new one from a repeated one."""
        reader, writer = await asyncio.open_connection(HOST, self._port, limit=LONGEST)
        try:
            writer.write(b"%d %b" % (next(self._numbers), command))
            await reader.readuntil(b" ")
            return await _dictionary(reader)
        finally:
            writer.close()


async def _dictionary(reader: asyncio.StreamReader) -> bytes:
    """Read one bencoded dictionary.

    Raises:
        EOFError: it ends too soon.
        ValueError: it is none, or too long.
    """
    read = b""
    while not _is_whole(read):
        more = await reader.read(LONGEST)
        if not more:
            raise EOFError("broken off")
        read += more
        if len(read) > LONGEST:
            raise ValueError("too long")
    return read


def _is_whole(text: bytes) -> bool:
    """Return whether a dictionary is there to its end.

    d KEY VALUE ... e is one, l ITEM ... e a list, 3:abc a string, i42e a number.
    """
    at, depth = 0, 0
    while at < len(text):
        kind = text[at : at + 1]
        if kind in b"dl":
            depth, at = depth + 1, at + 1
        elif kind == b"e":
            depth, at = depth - 1, at + 1
        else:
            stop = text.find(b"e" if kind == b"i" else b":", at)
            if stop < 0:
                return False
            at = stop + 1 + (0 if kind == b"i" else int(text[at:stop]))
        if depth == 0:
            return True
    return False
