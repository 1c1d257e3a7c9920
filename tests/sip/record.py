"""The record of a phone's messages, and waiting for what shall stand in it."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from sip.leaks import leaks
from sip.loop import Loop
from sip.message import Match, Message

T = TypeVar("T")
SHOWN = 30
"How many messages a failure shows."


class NothingCame(AssertionError):
    """What a test waited for did not come in time."""


class Record:
    """All that a phone sent and received. State changes under `lock`."""

    def __init__(self, user: str, patience: float):
        self.user, self.patience = user, patience
        self.received: list[Message] = []
        self.sent: list[Message] = []
        self.malformed: list[bytes] = []
        self.lost: list[tuple[Message, OSError]] = []
        "What could not be sent from the phone's own thread: its connection was refused or broke."
        self.lock = threading.Condition(threading.RLock())
        self.loop = Loop(f"phone {user}", self.lock)

    def wait(self, ready: Callable[[], T | None], timeout: float | None, what: str) -> T:
        """Wait until `ready` gives something true, and return that."""
        if self.loop.is_here:
            raise RuntimeError(f"{self.user}: a policy must not wait for {what}")
        timeout = self.patience if timeout is None else timeout
        with self.lock:
            self.lock.wait_for(lambda: self.loop.failure or ready(), timeout)
            self.raise_failure()
            found = ready()
            if not found:
                raise NothingCame(f"{self.user} waited {timeout:g} s for {what}\n{self.history()}")
            return found

    def wait_for(self, match: Match, timeout: float | None = None, times: int = 1, after: int = 0) -> Message:
        """Wait for a message that matches, or for several; return the last of them.

        Those received before count, too, but for the first `after` of `received`."""

        def found() -> Message | None:
            return next(iter(list(filter(match, self.received[after:]))[times - 1 :]), None)

        return self.wait(found, timeout, f"{times} messages that match")

    def never(self, match: Match, until: Callable[[], object]) -> None:
        """Fail if such a message has come by the time that `until`, which waits for something, is through."""
        until()
        with self.lock:
            found = list(filter(match, self.received))
            if found:
                raise AssertionError(f"{self.user} got {found[0].summary}\n{self.history()}")

    def leaks(self, word: str) -> list[str]:
        """Every line received in which the word stands by itself, in the open or encoded."""
        with self.lock:
            return leaks(word, self.received)

    def history(self) -> str:
        """The last messages, for people: a line each, and the last received in full."""
        with self.lock:
            both = [("<-", each) for each in self.received] + [("->", each) for each in self.sent]
            both.sort(key=lambda pair: pair[1].at)
            now = time.monotonic()
            lines = [
                f"  {each.at - now:8.3f} s {arrow} {each.peer[0]}:{each.peer[1]} {each.summary}"
                for arrow, each in both[-SHOWN:]
            ]
            lines += [f"  lost: {each.summary}: {reason}" for each, reason in self.lost]
            last = ["the last received:", str(self.received[-1])] if self.received else ["received nothing"]
            return "\n".join([f"messages of {self.user}:", *lines, *last])

    def raise_failure(self) -> None:
        """Tell what stopped the phone's thread, if anything has."""
        if self.loop.failure:
            raise RuntimeError(f"the thread of {self.user} failed\n{self.history()}") from self.loop.failure
