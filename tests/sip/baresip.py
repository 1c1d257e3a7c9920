"""baresip, a softphone that people use, told what to do and asked what happened over its control port."""

import json
import socket
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from parts import free_port, until

CONFIG = """
poll_method epoll
net_interface 127.0.0.1
audio_player aubridge,sound
audio_source aubridge,sound
audio_alert aubridge,alert
rtp_timeout 0
module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""
ACCOUNT = (
    "<sip:{user}@{domain}>;auth_user={user};auth_pass={password}"
    ';outbound="sip:127.0.0.1:{proxy}";regint=3600\n'
)


class Baresip:
    """One phone with one account, in a folder of its own; registered once it stands in `with`."""

    def __init__(self, folder: Path, user: str, password: str, domain: str, proxy: int):
        folder.mkdir()
        self.user, self.events = user, list[dict]()
        self._folder, self._control = folder, free_port()
        config = CONFIG.format(control=self._control)
        (folder / "config").write_text(config)
        (folder / "accounts").write_text(
            ACCOUNT.format(user=user, domain=domain, password=password, proxy=proxy)
        )
        (folder / "contacts").touch()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            log = stack.enter_context((self._folder / "log").open("wb"))
            self._process = subprocess.Popen(
                ["baresip", "-f", self._folder], stdin=subprocess.PIPE, stdout=log, stderr=log
            )
            stack.callback(self._end)
            self._until(lambda: "200 OK () [1 binding]" in self.log)
            self._socket = stack.enter_context(socket.create_connection(("127.0.0.1", self._control)))
            self._stream = stack.enter_context(self._socket.makefile("rb"))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _until(self, done: Callable[[], object]) -> None:
        """Wait for what it does before it can tell of it."""

        def is_done() -> object:
            assert self._process.poll() is None, self.log
            return done()

        until(is_done, report=lambda: self.log)

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def say(self, command: str, parameters: str = "") -> None:
        """Give a command of its menu: dial, accept, hangup."""
        text = json.dumps({"command": command, "params": parameters})
        self._socket.sendall(f"{len(text)}:{text},".encode())

    def wait(self, kind: str, timeout: float = 5) -> dict:
        """Wait for the next event of this kind."""
        return self._await(lambda event: event.get("type") == kind, timeout, kind)

    def wait_answer(self, timeout: float = 5) -> dict:
        """Wait for the answer to a command: all that happened before it stands in `events`."""
        return self._await(lambda event: event.get("response"), timeout, "answer")

    def _await(self, match: Callable[[dict], object], timeout: float, what: str) -> dict:
        self._socket.settimeout(timeout)
        while True:
            try:
                event = self._read()
            except TimeoutError as late:
                raise AssertionError(f"{self.user}: no {what} but {self.events}\n{self.log}") from late
            self.events.append(event)
            if match(event):
                return event

    def _read(self) -> dict:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            assert byte, self.log
            length += byte
        text = self._stream.read(int(length))
        self._stream.read(1)
        return json.loads(text)
