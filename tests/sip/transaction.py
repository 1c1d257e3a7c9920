"""Client and server transactions (RFC 3261, 17), and a request with its digest retry."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from sip.digest import Challenge, challenges
from sip.loop import Timer
from sip.message import HeaderValues, Message
from sip.transport import Peer

if TYPE_CHECKING:
    from sip.call import Leg
    from sip.dialog import Dialog
    from sip.phone import Phone

T2 = 8
"The longest pause between retransmissions, in units of T1."
LIFE = 64
"How long a transaction lives, in units of T1."


class ClientTransaction:
    """One request on the wire: sent again until it is answered; a refused INVITE gets its ACK."""

    def __init__(self, phone: "Phone", request: Message, peer: Peer, receive: Callable[[Message], None]):
        self._phone, self._request, self._peer, self._receive = phone, request, peer, receive
        self._repeat: Timer | None = None
        self._refused: Message | None = None
        self.key = (request.branch, request.method)

    def start(self) -> None:
        self._phone.client_transactions[self.key] = self
        self._phone.send(self._request, self._peer)
        if self._phone.transport.reliable:
            return
        longest = LIFE if self._request.method == "INVITE" else T2
        t1 = self._phone.t1
        self._repeat = self._phone.loop.repeat(t1, longest * t1, self._again)
        self._phone.loop.after(LIFE * t1, self._repeat.stop)

    def _again(self) -> None:
        self._phone.send(self._request, self._peer)

    def receive(self, response: Message) -> None:
        if self._repeat and (response.status >= 200 or self._request.method == "INVITE"):
            self._repeat.stop()
        if self._request.method == "INVITE" and response.status >= 300:
            response.duplicate = self._refused is not None
            self._refused = self._refused or response
            self._acknowledge(response)
        if not response.duplicate:
            self._receive(response)

    def _acknowledge(self, response: Message) -> None:
        kept = ("Via", "From", "Call-ID", "Max-Forwards", "Route")
        headers = [(name, value) for name, value in self._request.headers if name in kept]
        headers += [("To", response.headers["To"]), ("CSeq", f"{self._request.cseq} ACK")]
        self._phone.send(Message.request("ACK", self._request.uri, headers), self._peer)

    def cancel(self, headers: HeaderValues | None, receive: Callable[[Message], None]) -> None:
        """Send the CANCEL of this INVITE: the same way, the same branch."""
        kept = ("Via", "From", "To", "Call-ID", "Max-Forwards", "Route")
        same = [(name, value) for name, value in self._request.headers if name in kept]
        cancel = Message.request("CANCEL", self._request.uri, same)
        cancel.headers.add("CSeq", f"{self._request.cseq} CANCEL")
        for name, value in (headers or {}).items():
            cancel.headers.set(name, value)
        ClientTransaction(self._phone, cancel, self._peer, receive).start()


class SentRequest:
    """A request and all that answers it. One that is challenged is sent again with credentials."""

    def __init__(
        self,
        phone: "Phone",
        request: Message,
        peer: Peer,
        renumber: Callable[[], int],
        receive: Callable[[Message], object] = lambda response: None,
    ):
        self.phone, self.request, self.responses = phone, request, list[Message]()
        self._peer, self._renumber, self._receive = peer, renumber, receive
        self._tried: set[tuple[str, str]] = set()
        self._challenged: list[Message] = []

    def start(self) -> "SentRequest":
        self.transaction = ClientTransaction(self.phone, self.request, self._peer, self._on_response)
        self.transaction.start()
        return self

    @property
    def final(self) -> Message | None:
        """The response that ended it; of several 2xx the first."""
        ends = (each for each in self.responses if each.status >= 200 and each not in self._challenged)
        return next(ends, None)

    def wait(self, timeout: float | None = None) -> Message:
        """Wait for the final response."""
        what = f"a final response to {self.request.method} {self.request.uri}"
        return self.phone.wait(lambda: self.final, timeout, what)

    def _on_response(self, response: Message) -> None:
        response.duplicate = self._had(response)
        if not response.duplicate:
            self.responses.append(response)
        if response.status in (401, 407) and not response.duplicate and self._prove(response):
            self._challenged.append(response)
            self.start()
        elif not response.duplicate or self._needs_ack(response):
            self._receive(response)

    def _had(self, response: Message) -> bool:
        """A forked INVITE may be answered more than once, all else is answered once."""
        if self.final is None or response.status < 200:
            return self.final is not None
        tags = {each.tag("To") for each in self.responses if each.status >= 200}
        return not self._needs_ack(response) or response.tag("To") in tags

    def _needs_ack(self, response: Message) -> bool:
        return response.method == "INVITE" and 200 <= response.status < 300

    def _prove(self, response: Message) -> bool:
        """Write the next request, with the credentials asked for; not twice for the same question."""
        asked = [each for each in challenges(response) if self._is_new(each)]
        if not asked or self.phone.password is None:
            return False
        request = self.request
        headers = request.headers.copy()
        headers.set("CSeq", f"{self._renumber()} {request.method}")
        headers.set("Via", [self.phone.via(), *headers.all("Via")[1:]])
        self.request = Message.request(request.method, request.uri, headers, request.body)
        for challenge in asked:
            self._tried.add((challenge.header, challenge.realm))
            self.phone.prove(self.request, challenge)
        return True

    def _is_new(self, challenge: Challenge) -> bool:
        return challenge.stale or (challenge.header, challenge.realm) not in self._tried


class Incoming:
    """A request that was received, and what was answered to it."""

    def __init__(self, phone: "Phone", request: Message):
        self.phone, self.request = phone, request
        self.dialog: Dialog | None = None
        self.leg: Leg | None = None
        "The leg that an INVITE began, or that a CANCEL ends."
        self.acked: Message | None = None
        self.tag = request.tag("To") or secrets.token_hex(6)
        self._last: Message | None = None
        self._repeat: Timer | None = None

    @property
    def status(self) -> int:
        """The last that was answered; 0 before."""
        return self._last.status if self._last else 0

    def reply(self, status: int, headers: HeaderValues | None = None, body: str = "") -> Message:
        """Answer; a final answer to an INVITE is sent again until its ACK comes."""
        with self.phone.lock:
            assert self.status < 200, f"answered before: {self.request.summary}\n{self.phone.history()}"
            response = self.build(status, headers, body)
            self._last = response
            self._send(response)
            if self.request.method == "INVITE" and status >= 200:
                self._insist(response)
            return response

    def build(self, status: int, headers: HeaderValues | None = None, body: str = "") -> Message:
        kept = ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq", "Timestamp")
        same = [(name, value) for name, value in self.request.headers if name in kept]
        response = Message.response(status, same, body)
        if status > 100:
            to = self.request.headers["To"]
            response.headers.set("To", to if self.request.tag("To") else f"{to};tag={self.tag}")
        if 100 < status < 300 and self.request.method in ("INVITE", "UPDATE", "SUBSCRIBE"):
            response.headers.set("Contact", f"<{self.phone.contact}>")
        if body:
            response.headers.set("Content-Type", "application/sdp")
        for name, value in (headers or {}).items():
            response.headers.set(name, value)
        return response

    def insist_until(self, response: Message, over: Callable[[], None]) -> Timer:
        """Send a response again and again; `over` runs if nothing stopped that in time."""
        t1 = self.phone.t1
        repeat = self.phone.loop.repeat(t1, T2 * t1, lambda: self._send(response))

        def give_up() -> None:
            if not repeat.stopped:
                repeat.stop()
                over()

        self.phone.loop.after(LIFE * t1, give_up)
        return repeat

    def _insist(self, response: Message) -> None:
        if response.status < 300 or not self.phone.transport.reliable:
            self._repeat = self.insist_until(response, self._never_acked)

    def _never_acked(self) -> None:
        if self.dialog and self.status < 300 and not self.dialog.ended:
            self.dialog.send("BYE")  # RFC 3261, 13.3.1.4

    def came_again(self) -> None:
        if self._last:
            self._send(self._last)

    def on_ack(self, ack: Message) -> None:
        ack.duplicate = self.acked is not None
        self.acked = self.acked or ack
        if self._repeat:
            self._repeat.stop()

    def wait_ack(self, timeout: float | None = None) -> Message:
        return self.phone.wait(lambda: self.acked, timeout, f"the ACK of {self.request.summary}")

    def _send(self, response: Message) -> None:
        self.phone.send(response, self.phone.way_back(self.request))
