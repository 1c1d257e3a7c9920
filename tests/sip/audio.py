"""Real audio of a phone of ours: RTP packets, sent and heard."""

import re
import secrets
import select
import socket
import struct
import time
from contextlib import suppress

from sip.exchange import Office
from sip.phone import Phone
from sip.transport import Peer, new_socket

PACE = 0.02
"Seconds between two packets."
PCMA = 8


class Audio:
    """Where a phone has its media. Each packet carries a word of this phone's own."""

    def __init__(self, phone: Phone, namespace: str | None = None):
        host = phone.transport.local[0]
        self.socket = new_socket(host, socket.SOCK_DGRAM, namespace)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        phone.media = ("", self.socket.getsockname()[1])
        self.word = secrets.token_bytes(160)
        self.heard: dict[Peer, set[bytes]] = {}
        self._source, self._count = secrets.randbits(32), 0

    def close(self) -> None:
        self.socket.close()

    def send(self, to: Peer) -> None:
        """Send one packet."""
        self._count += 1
        head = struct.pack("!BBHII", 0x80, PCMA, self._count, 160 * self._count, self._source)
        self.socket.sendto(head + self.word, to)

    def listen(self) -> None:
        """Take what has come."""
        with suppress(BlockingIOError):
            while True:
                packet, peer = self.socket.recvfrom(2048)
                self.heard.setdefault(peer[:2], set()).add(packet[12:])


def audio(office: Office, phone: Phone, namespace: str | None = None) -> Audio:
    """The media of a phone, gone with the test."""
    made = Audio(phone, namespace)
    office.stack.callback(made.close)
    return made


def whereto(description: str) -> Peer:
    """Address and port that a session description asks for media at."""
    host = re.search(r"(?m)^c=IN IP[46] (\S+)", description)
    port = re.search(r"(?m)^m=audio (\d+)", description)
    assert host, description
    assert port, description
    return host[1], int(port[1])


def converse(one: Audio, one_told: str, other: Audio, other_told: str, timeout: float = 5) -> None:
    """Let both talk until each has heard the other; each was told by a session description where to send to,
    and hears from there."""
    pairs = ((one, whereto(one_told), other.word), (other, whereto(other_told), one.word))
    for audio, _, _ in pairs:
        audio.heard.clear()
    deadline = time.monotonic() + timeout
    while not all(word in audio.heard.get(peer, ()) for audio, peer, word in pairs):
        assert time.monotonic() < deadline, [(audio.heard.keys(), peer) for audio, peer, _ in pairs]
        for audio, peer, _ in pairs:
            audio.send(peer)
        select.select([one.socket, other.socket], [], [], PACE)
        for audio, _, _ in pairs:
            audio.listen()
        time.sleep(PACE)
