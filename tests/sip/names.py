"""A name server of our own, which may keep silent, and a switch that asks no other."""

import secrets
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ADDRESS = 1
"""The type of a question for an IPv4 address."""


class NameServer:
    """Answers for the names that it knows; for all others, and while it is `away`, never."""

    def __init__(self):
        self.addresses: dict[str, str] = {}
        self.away = False
        self.asked: list[str] = []
        "The names of all questions, in lower case, as they came."
        self.host = ".".join(["127", *(str(secrets.randbelow(90) + 3) for _ in range(3))])
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.host, 53))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        self._socket.close()

    def _run(self):
        while True:
            try:
                question, peer = self._socket.recvfrom(512)
            except OSError:  # closed
                return
            name, kind = _read(question)
            self.asked.append(name)
            if name in self.addresses and not self.away:
                address = self.addresses[name] if kind == ADDRESS else None
                self._socket.sendto(_answer(question, address), peer)


def _read(question: bytes) -> tuple[str, int]:
    """The name and the type that a question is for."""
    at, labels = 12, []
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode().lower())
        at += length + 1
    return ".".join(labels), struct.unpack_from("!H", question, at + 1)[0]


def _answer(question: bytes, address: str | None) -> bytes:
    """The answer with one address, or with none."""
    end = question.index(b"\0", 12) + 5
    head = question[:2] + struct.pack("!HHHHH", 0x8580, 1, int(address is not None), 0, 0)
    found = (
        b"\xc0\x0c" + struct.pack("!HHIH", ADDRESS, 1, 0, 4) + socket.inet_aton(address) if address else b""
    )
    return head + question[12:end] + found


@contextmanager
def name_server() -> Iterator[tuple[NameServer, tuple[str, ...]]]:
    """The server, and what a command begins with whose names it shall resolve."""
    with TemporaryDirectory(prefix="peal-names-") as folder:
        server = NameServer()
        file = Path(folder) / "resolv.conf"
        file.write_text(f"nameserver {server.host}\n")
        Path(folder).chmod(0o755)
        script = f'mount --bind {file} /etc/resolv.conf && exec "$0" "$@"'
        try:
            yield server, ("unshare", "--mount", "sh", "-c", script)
        finally:
            server.close()
