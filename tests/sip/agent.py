"""What lies under a phone: its thread, its sockets, its transactions."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from sip.call import Leg
from sip.dialog import Dialog, DialogId
from sip.message import Message, Uri
from sip.policy import DEFAULT, INSIDE_ONLY, Policy
from sip.record import Record
from sip.transaction import ClientTransaction, Incoming
from sip.transport import Peer, Streams, Tls, Transport, Udp

if TYPE_CHECKING:
    from sip.phone import Phone


class Agent(Record):
    """Sends and receives: finds for each message the transaction, the dialog or the policy it belongs to."""

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
        super().__init__(user, patience)
        self.t1, self.trying = t1, trying
        self.dead = False
        "No power: nothing is sent, nothing is answered; the sockets stay open."
        self.client_transactions: dict[tuple[str, str], ClientTransaction] = {}
        self.dialogs: dict[DialogId, Dialog] = {}
        self.policies: dict[str, Policy] = dict(DEFAULT)
        self.on_call: Callable[[Leg], object] | None = None
        "What happens to each new call at once; runs in the phone's thread, so it must not wait."
        self._served: dict[tuple[str, str], Incoming] = {}
        self._requests: list[Incoming] = []
        self._legs: list[Leg] = []
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
        self.raise_failure()

    # Expecting

    def expect(self, method: str, timeout: float | None = None) -> Incoming:
        """The next request of this method, but for new calls, that no `expect` has given yet."""

        def first() -> Incoming | None:
            return next((each for each in self._requests if each.request.method == method), None)

        with self.lock:
            found = self.wait(first, timeout, method)
            self._requests.remove(found)
            return found

    def expect_invite(self, timeout: float | None = None) -> Leg:
        """The next new call."""
        with self.lock:
            self.wait(lambda: self._legs, timeout, "a call")
            return self._legs.pop(0)

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
        except ValueError:
            self.malformed.append(data)
        else:
            message.peer, message.at = peer, time.monotonic()
            self.received.append(message)
            if not self.dead:
                self._on_message(message)

    def _on_message(self, message: Message) -> None:
        if message.is_request:
            self._on_request(message)
        else:
            self._on_response(message)

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
        if not dialog.is_in_order(request):
            self._apply(incoming, 500)
            return
        if request.method == "INVITE":
            dialog.served[request.cseq] = incoming
        if request.method in ("INVITE", "UPDATE"):
            dialog.refresh(request)
        self._apply(incoming)

    def _apply(self, incoming: Incoming, status: int = 0) -> None:
        """Answer with this status, or by the policy."""
        self._requests.append(incoming)
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
        self._legs.append(leg)
        if self.on_call:
            self.on_call(leg)

    def _replaced(self, invite: Message) -> Dialog | None:
        call_id, *params = invite.headers.get("Replaces").split(";")
        tags = dict(param.strip().split("=", 1) for param in params if "=" in param)
        dialog = self.dialogs.get((call_id.strip(), tags.get("to-tag", ""), tags.get("from-tag", "")))
        return dialog if dialog and dialog.confirmed and not dialog.ended else None
