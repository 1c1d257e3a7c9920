"""Sockets: UDP, TCP and TLS, on a chosen address, in a chosen network namespace."""

import ctypes
import os
import re
import select
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from sip.loop import Loop

Peer = tuple[str, int]
Received = Callable[[bytes, Peer], None]
CLONE_NEWNET = 0x40000000
PATIENCE = 5.0


class Transport(Protocol):
    """What a phone speaks through."""

    name: str
    reliable: bool
    local: Peer
    "Where others reach it."

    def send(self, data: bytes, peer: Peer) -> None: ...
    def reaches(self, peer: Peer) -> bool:
        """Whether something can be sent there without a new connection."""
        ...

    def connect(self, peer: Peer) -> None:
        """Make sure of a connection: its own port is what others see where nothing listens."""
        ...

    def drop(self) -> None:
        """Cut all connections, as by a broken cable; the next message makes a new one."""
        ...

    def close(self) -> None: ...


def family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def new_socket(host: str, kind: socket.SocketKind, namespace: str | None) -> socket.socket:
    """A socket lives in the network namespace of the thread that makes it, wherever it is used."""
    if namespace is None:
        return socket.socket(family(host), kind)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_enter, namespace).result()
        return thread.submit(socket.socket, family(host), kind).result()


def _enter(namespace: str) -> None:
    """Move this thread into a namespace: a name that `ip netns` knows, or a path."""
    path = namespace if "/" in namespace else f"/run/netns/{namespace}"
    with Path(path).open() as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)


class Udp:
    """One socket."""

    name, reliable = "UDP", False

    def __init__(self, loop: Loop, bind: Peer, received: Received, namespace: str | None):
        self._loop, self._received = loop, received
        self._socket = new_socket(bind[0], socket.SOCK_DGRAM, namespace)
        self._socket.bind(bind)
        self.local = self._socket.getsockname()[:2]
        loop.watch(self._socket, self._read)

    def send(self, data: bytes, peer: Peer) -> None:
        self._socket.sendto(data, peer)

    def reaches(self, peer: Peer) -> bool:
        return True

    def connect(self, peer: Peer) -> None:
        pass

    def drop(self) -> None:
        pass

    def close(self) -> None:
        self._loop.unwatch(self._socket)
        self._socket.close()

    def _read(self) -> None:
        data, peer = self._socket.recvfrom(65535)
        if re.search(rb"\w", data):  # else a keep-alive: blanks or zeros
            self._received(data, peer[:2])


class Streams:
    """TCP or TLS: a listener and the connections made from here or from there.

    Over TLS it listens only with a certificate; without, others reach it by the connection it made."""

    reliable = True

    def __init__(
        self, loop: Loop, bind: Peer, received: Received, namespace: str | None, tls: "Tls | None" = None
    ):
        self.name = "TLS" if tls else "TCP"
        self._loop, self._received, self._namespace, self._tls = loop, received, namespace, tls
        self._connections: dict[Peer, Connection] = {}
        self._listener: socket.socket | None = None
        self.local: Peer = bind
        if tls is None or tls.server:
            self._listen(bind)

    def _listen(self, bind: Peer) -> None:
        self._listener = new_socket(bind[0], socket.SOCK_STREAM, self._namespace)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(bind)
        self._listener.listen()
        self.local = self._listener.getsockname()[:2]
        self._loop.watch(self._listener, self._accept)

    def _accept(self) -> None:
        assert self._listener
        sock, peer = self._listener.accept()
        sock.settimeout(PATIENCE)
        try:
            self._add(self._tls.serve(sock) if self._tls else sock, peer[:2])
        except OSError:  # a handshake that failed is the other's to notice
            sock.close()

    def send(self, data: bytes, peer: Peer) -> None:
        connection = self._connections.get(peer) or self._connect(peer)
        connection.send(data)

    def reaches(self, peer: Peer) -> bool:
        return peer in self._connections

    def connect(self, peer: Peer) -> None:
        if not self.reaches(peer):
            self._connect(peer)

    def _connect(self, peer: Peer) -> "Connection":
        sock = new_socket(self.local[0], socket.SOCK_STREAM, self._namespace)
        try:
            sock.settimeout(PATIENCE)
            sock.bind((self.local[0], 0))
            sock.connect(peer)
            sock = self._tls.connect(sock) if self._tls else sock
        except BaseException:
            sock.close()
            raise
        if not self._listener:
            self.local = sock.getsockname()[:2]
        return self._add(sock, peer)

    def _add(self, sock: socket.socket, peer: Peer) -> "Connection":
        connection = Connection(sock)
        self._connections[peer] = connection
        self._loop.watch(sock, lambda: self._read(connection, peer))
        return connection

    def _read(self, connection: "Connection", peer: Peer) -> None:
        if not connection.is_open:
            return
        for message in connection.messages():
            self._received(message, peer)
        if connection.ended:
            self._forget(peer)

    def _forget(self, peer: Peer) -> None:
        connection = self._connections.pop(peer)
        self._loop.unwatch(connection.socket)
        connection.socket.close()

    def drop(self) -> None:
        for peer in list(self._connections):
            self._forget(peer)

    def close(self) -> None:
        self.drop()
        if self._listener:
            self._loop.unwatch(self._listener)
            self._listener.close()


class Connection:
    """One stream, cut into messages by Content-Length."""

    def __init__(self, sock: socket.socket):
        self.socket, self.ended, self._buffer = sock, False, b""
        sock.setblocking(False)

    @property
    def is_open(self) -> bool:
        return self.socket.fileno() >= 0

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self.socket.send(data) :]
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._wait_writable()

    def _wait_writable(self) -> None:
        waiting = select.poll()
        waiting.register(self.socket, select.POLLOUT)
        if not waiting.poll(PATIENCE * 1000):
            raise TimeoutError("the other side does not read")

    def messages(self) -> list[bytes]:
        """All that came since, as far as it is whole."""
        self._fill()
        found = []
        while message := self._next():
            found.append(message)
        return found

    def _fill(self) -> None:
        try:
            while chunk := self.socket.recv(65536):
                self._buffer += chunk
            self.ended = True
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:  # cut off, without a good-bye
            self.ended = True

    def _next(self) -> bytes | None:
        self._buffer = self._buffer.lstrip(b"\r\n")  # keep-alives (RFC 5626)
        head, blank, _ = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        length = re.search(rb"(?im)^(?:Content-Length|l)[ \t]*:[ \t]*(\d+)", head)
        end = len(head) + 4 + int(length[1] if length else 0)
        if len(self._buffer) < end:
            return None
        message, self._buffer = self._buffer[:end], self._buffer[end:]
        return message


class Tls:
    """Contexts of a phone: what it shows when it listens, and whom it believes when it calls."""

    def __init__(self, name: str, ca: Path | None = None, certificate: tuple[Path, Path] | None = None):
        self._name = name
        self._client = ssl.create_default_context(cafile=ca)
        if ca is None:
            self._client.check_hostname = False
            self._client.verify_mode = ssl.CERT_NONE
        self.server: ssl.SSLContext | None = None
        if certificate:
            self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.server.load_cert_chain(*certificate)

    def connect(self, sock: socket.socket) -> ssl.SSLSocket:
        return self._client.wrap_socket(sock, server_hostname=self._name)

    def serve(self, sock: socket.socket) -> ssl.SSLSocket:
        assert self.server
        return self.server.wrap_socket(sock, server_side=True)
