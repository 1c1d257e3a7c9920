"""One thread that reads sockets and runs timers, all under one lock; each turn wakes who waits for it."""

import heapq
import itertools
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[], object]


@dataclass(order=True)
class Timer:
    """Something to do at a time, unless it is stopped before."""

    when: float
    number: int
    action: Action = field(compare=False)
    stopped: bool = field(default=False, compare=False)

    def stop(self) -> None:
        self.stopped = True


class Loop:
    """The thread. Sockets may be watched and timers set from any thread that holds the lock."""

    def __init__(self, name: str, lock: threading.Condition):
        self._lock = lock
        self._selector = selectors.DefaultSelector()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._bell, self._waker = socket.socketpair()
        self._stopping = False
        self.failure: BaseException | None = None
        self.watch(self._bell, lambda: self._bell.recv(4096))
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is watched may be unwatched until `close`."""
        self._stopping = True
        self._waker.send(b"!")
        self._thread.join()

    def close(self) -> None:
        self._selector.close()
        self._bell.close()
        self._waker.close()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in this thread, and so must not wait."""
        return threading.current_thread() is self._thread

    def watch(self, sock: socket.socket, readable: Action) -> None:
        self._selector.register(sock, selectors.EVENT_READ, readable)

    def unwatch(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)

    def after(self, delay: float, action: Action) -> Timer:
        timer = Timer(time.monotonic() + delay, next(self._numbers), action)
        heapq.heappush(self._timers, timer)
        if not self.is_here:
            self._waker.send(b"!")
        return timer

    def repeat(self, first: float, longest: float, action: Action) -> Timer:
        """Run the action again and again, after twice the time at each turn."""
        delay = first

        def again() -> None:
            nonlocal delay
            action()
            delay = min(2 * delay, longest)
            timer.when = time.monotonic() + delay
            heapq.heappush(self._timers, timer)

        timer = self.after(first, again)
        return timer

    def _run(self) -> None:
        try:
            while not self._stopping:
                for key, _ in self._selector.select(self._pause()):
                    with self._lock:
                        key.data()
                with self._lock:
                    self._run_due()
                    self._lock.notify_all()
        except BaseException as failure:
            with self._lock:  # told to whoever waits: a thread can raise to nobody
                self.failure = failure
                self._lock.notify_all()

    def _pause(self) -> float | None:
        with self._lock:
            return max(0.0, self._timers[0].when - time.monotonic()) if self._timers else None

    def _run_due(self) -> None:
        while self._timers and self._timers[0].when <= time.monotonic():
            timer = heapq.heappop(self._timers)
            if not timer.stopped:
                timer.action()
