"""A way to a server that forgets its connections, as a firewall does or a machine that lost power."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class HalfOpen:
    """Passes TCP connections on to a port of this machine."""

    def __init__(self, port: int):
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._bell, self._waker = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._all = [self._listener, self._bell, self._waker]
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waker.send(b"end")
        self._thread.join()
        self._selector.close()
        for each in self._all:
            each.close()

    def forget(self) -> None:
        """From now on nothing comes through what is connected; neither end is told. New ones work."""
        self._waker.send(b"forget")

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                one = key.fileobj
                assert isinstance(one, socket.socket)
                if one is self._bell:
                    if one.recv(100) == b"end":
                        return
                    self._drop_all()
                elif one is self._listener:
                    self._connect()
                elif one in self._pairs:
                    self._pass_on(one)

    def _connect(self) -> None:
        here, _ = self._listener.accept()
        self._all.append(here)
        try:
            there = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            here.close()
            return
        self._all.append(there)
        for one, other in ((here, there), (there, here)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        try:
            data = one.recv(65536)
            if data:
                self._pairs[one].sendall(data)
                return
        except OSError:
            pass  # either end has reset it: close both
        for each in (one, self._pairs[one]):
            self._selector.unregister(each)
            del self._pairs[each]
            each.close()

    def _drop_all(self) -> None:
        for one in self._pairs:
            self._selector.unregister(one)
        self._pairs.clear()
