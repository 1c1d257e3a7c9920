"""What lies under a phone: one thread, its sockets and transactions, and the record of all messages."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from sip import leaks
from sip.call import Leg
from sip.dialog import Dialog, DialogId
from sip.loop import Loop
from sip.message import Malformed, Match, Message, Uri
from sip.policy import DEFAULT, INSIDE_ONLY, Policy
from sip.transaction import ClientTransaction, Incoming
from sip.transport import Peer, Streams, Tls, Transport, Udp

if TYPE_CHECKING:
    from sip.phone import Phone

T = TypeVar("T")
SHOWN = 30
"How many messages a failure shows."


class NothingCame(AssertionError):
    """What a test waited for did not come in time."""


class Agent:
    """Sends, receives, records, waits. All state changes under `lock`, and each change wakes the waiting."""

    def __init__(
        self,
        user: str,
        transport: str = "udp",
        bind: str | Peer = "127.0.0.1",
        namespace: str | None = None,
        tls_name: str = "",
        ca: Path | None = None,
        certificate: tuple[Path, Path] | None = None,
        t1: float = 0.5,
        trying: bool = True,
        patience: float = 5.0,
    ):
        self.user, self.t1, self.trying, self.patience = user, t1, trying, patience
        self.dead = False
        "No power: nothing is sent, nothing is answered; the sockets stay open."
        self.received: list[Message] = []
        self.sent: list[Message] = []
        self.malformed: list[bytes] = []
        self.lost: list[tuple[Message, OSError]] = []
        "What could not be sent from the phone's own thread: its connection was refused or broke."
        self.lock = threading.Condition(threading.RLock())
        self.loop = Loop(f"phone {user}", self.lock)
        self.client_transactions: dict[tuple[str, str], ClientTransaction] = {}
        self.dialogs: dict[DialogId, Dialog] = {}
        self.policies: dict[str, Policy] = dict(DEFAULT)
        self.on_call: Callable[[Leg], object] | None = None
        "What happens to each new call at once; runs in the phone's thread, so it must not wait."
        self._served: dict[tuple[str, str], Incoming] = {}
        self._unclaimed: list[Incoming] = []
        tls = Tls(tls_name, ca, certificate) if transport == "tls" else None
        where = (bind, 0) if isinstance(bind, str) else bind
        self.transport: Transport = (
            Udp(self.loop, where, self._on_data, namespace)
            if transport == "udp"
            else Streams(self.loop, where, self._on_data, namespace, tls)
        )
        self.loop.start()

    def close(self) -> None:
        """Close the sockets, without a word to anybody; fail if the phone's thread has."""
        self.loop.stop()
        self.transport.close()
        self.loop.close()
        self._raise_failure()

    # Waiting

    def wait(self, ready: Callable[[], T | None], timeout: float | None, what: str) -> T:
        """Wait until `ready` gives something true, and return that."""
        if self.loop.is_here:
            raise RuntimeError(f"{self.user}: a policy must not wait for {what}")
        timeout = self.patience if timeout is None else timeout
        with self.lock:
            self.lock.wait_for(lambda: self.loop.failure or ready(), timeout)
            self._raise_failure()
            found = ready()
            if not found:
                raise NothingCame(f"{self.user} waited {timeout:g} s for {what}\n{self.history()}")
            return found

    def wait_for(self, match: Match, timeout: float | None = None, after: int = 0) -> Message:
        """Wait for a message, also one received before; `after` skips as many of `received`."""
        return self.wait(
            lambda: next(filter(match, self.received[after:]), None), timeout, "a message that matches"
        )

    def never(self, match: Match, until: Callable[[], object]) -> None:
        """Fail if such a message has come by the time that `until`, which waits for something, is through."""
        until()
        with self.lock:
            found = list(filter(match, self.received))
            if found:
                raise AssertionError(f"{self.user} got {found[0].summary}\n{self.history()}")

    def expect(self, method: str, timeout: float | None = None) -> Incoming:
        """The next request of this method that no `expect` has given yet, in the order of arrival."""
        claim = self.wait(lambda: self._next_unclaimed(method), timeout, method)
        with self.lock:
            self._unclaimed.remove(claim)
        return claim

    def expect_invite(self, timeout: float | None = None) -> Leg:
        """The next new call."""
        claim = self.wait(lambda: self._next_unclaimed("INVITE", new=True), timeout, "a call")
        with self.lock:
            self._unclaimed.remove(claim)
        assert claim.leg
        return claim.leg

    def _next_unclaimed(self, method: str, new: bool = False) -> Incoming | None:
        fits = (each for each in self._unclaimed if each.request.method == method)
        return next((each for each in fits if (each.leg is not None) == (new or method == "CANCEL")), None)

    def leaks(self, word: str) -> list[str]:
        """Every line received in which the word stands by itself, in the open or encoded."""
        with self.lock:
            return leaks.leaks(word, self.received)

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

    def _raise_failure(self) -> None:
        if self.loop.failure:
            raise RuntimeError(f"the thread of {self.user} failed\n{self.history()}") from self.loop.failure

    # Sending

    def send(self, message: Message, peer: Peer) -> None:
        """Put a message on the wire and on record, unless the phone is dead."""
        with self.lock:
            if self.dead:
                return
            record = replace(message, peer=peer, at=time.monotonic())
            try:
                self.transport.send(message.encode(), peer)
                self.sent.append(record)
            except OSError as reason:
                self._lose(record, reason)
            self.lock.notify_all()

    def _lose(self, message: Message, reason: OSError) -> None:
        if not self.loop.is_here:
            raise reason
        self.lost.append((message, reason))

    def way_back(self, request: Message) -> Peer:
        """Where the answer to a request goes: the way it came, or to its Via when that is cut."""
        if self.transport.reaches(request.peer):
            return request.peer
        sent_by = Uri.parse("sip:" + request.headers["Via"].split()[1])
        return (sent_by.host, sent_by.port or 5060)

    # Receiving

    @property
    def _phone(self) -> "Phone":
        return cast("Phone", self)  # the only one that derives from this class

    def _on_data(self, data: bytes, peer: Peer) -> None:
        try:
            message = Message.parse(data)
        except (Malformed, ValueError):
            self.malformed.append(data)
            return
        message.peer, message.at = peer, time.monotonic()
        self.received.append(message)
        if not self.dead:
            self._on_request(message) if message.is_request else self._on_response(message)
        self.lock.notify_all()

    def _on_response(self, response: Message) -> None:
        transaction = self.client_transactions.get((response.branch, response.method))
        if transaction:
            transaction.receive(response)

    def _on_request(self, request: Message) -> None:
        method = request.method
        if method == "ACK":
            self._on_ack(request)
            return
        known = self._served.get((request.branch, method))
        if known:
            request.duplicate = True
            known.came_again()
            return
        incoming = Incoming(self._phone, request)
        self._served[request.branch, method] = incoming
        if method == "CANCEL":
            self._on_cancel(incoming)
        elif request.tag("To"):
            self._on_inside(incoming)
        elif method == "INVITE":
            self._on_invite(incoming)
        else:
            self._apply(incoming, 481 if method in INSIDE_ONLY else 0)

    def _on_ack(self, ack: Message) -> None:
        refused = self._served.get((ack.branch, "INVITE"))
        dialog = self.dialogs.get((ack.call_id, ack.tag("To"), ack.tag("From")))
        if refused:
            refused.on_ack(ack)
        elif dialog:
            dialog.on_ack(ack)

    def _on_cancel(self, incoming: Incoming) -> None:
        invite = self._served.get((incoming.request.branch, "INVITE"))
        incoming.leg = invite.leg if invite else None
        self._apply(incoming, 0 if incoming.leg else 481)

    def _on_inside(self, incoming: Incoming) -> None:
        request = incoming.request
        dialog = self.dialogs.get((request.call_id, request.tag("To"), request.tag("From")))
        if dialog is None or dialog.ended:
            self._apply(incoming, 481)
            return
        incoming.dialog = dialog
        if request.method == "INVITE":
            dialog.served[request.cseq] = incoming
        if request.method in ("INVITE", "UPDATE"):
            dialog.refresh(request)
        self._apply(incoming)

    def _apply(self, incoming: Incoming, status: int = 0) -> None:
        """Answer with this status, or by the policy."""
        self._unclaimed.append(incoming)
        policy = self.policies.get(incoming.request.method)
        if status or not policy:
            incoming.reply(status or 405)
        else:
            policy(incoming)

    def _on_invite(self, incoming: Incoming) -> None:
        replaced = self._replaced(incoming.request)
        if "Replaces" in incoming.request.headers and not replaced:
            incoming.reply(481)
            return
        if self.trying:
            incoming.reply(100)
        leg = Leg(self._phone, incoming, replaced)
        self.dialogs[leg.dialog.id] = leg.dialog
        self._unclaimed.append(incoming)
        if self.on_call:
            self.on_call(leg)

    def _replaced(self, invite: Message) -> Dialog | None:
        call_id, *params = invite.headers.get("Replaces").split(";")
        tags = dict(param.strip().split("=", 1) for param in params if "=" in param)
        dialog = self.dialogs.get((call_id.strip(), tags.get("to-tag", ""), tags.get("from-tag", "")))
        return dialog if dialog and dialog.confirmed and not dialog.ended else None
