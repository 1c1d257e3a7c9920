"""Dialogs (RFC 3261, 12) and what can be done inside."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from sip.message import Address, HeaderValues, Message, Uri
from sip.transaction import Incoming, SentRequest

if TYPE_CHECKING:
    from sip.phone import Phone

DialogId = tuple[str, str, str]
"Call-ID, our tag, the other's tag."


class InDialog:
    """What either side of a call can do. Each verb waits for the final response and returns it."""

    phone: "Phone"

    @property
    def dialog(self) -> "Dialog":
        raise NotImplementedError

    def request(
        self, method: str, headers: HeaderValues | None = None, body: str = "", timeout: float | None = None
    ) -> Message:
        """Any request."""
        dialog = self.dialog
        dialog.wait_usable()
        return dialog.send(method, headers, body).wait(timeout)

    def bye(self, headers: HeaderValues | None = None) -> Message:
        return self.request("BYE", headers)

    def reinvite(
        self, sdp: str | None = None, hold: bool = False, headers: HeaderValues | None = None
    ) -> Message:
        """Offer media anew: the phone's own, the same on hold, or what is given ("" offers nothing)."""
        return self.request("INVITE", headers, self.phone.offer(sdp, hold))

    def update(self, sdp: str = "", headers: HeaderValues | None = None) -> Message:
        return self.request("UPDATE", headers, sdp)

    def info(
        self, body: str = "Signal=5\r\nDuration=160\r\n", kind: str = "application/dtmf-relay"
    ) -> Message:
        return self.request("INFO", {"Content-Type": kind}, body)

    def options(self) -> Message:
        return self.request("OPTIONS")

    def prack(self, response: Message) -> Message:
        """Confirm a reliable provisional response; phones do it by themselves, see `Call.auto_prack`."""
        return self.request("PRACK", {"RAck": rack(response)})

    def refer(
        self,
        to: str,
        replaces: "InDialog | None" = None,
        referred_by: str | None = None,
        headers: HeaderValues | None = None,
    ) -> Message:
        """Transfer the other side to a number or URI; attended if it shall replace another call of ours.

        Referred-By names this phone, or what is given ("" leaves it out)."""
        target = self.phone.uri(to) + (
            f"?Replaces={quote(replaces.dialog.replaces, safe='')}" if replaces else ""
        )
        by = f"<{self.phone.aor}>" if referred_by is None else referred_by
        own = {"Refer-To": f"<{target}>"} | ({"Referred-By": by} if by else {})
        return self.request("REFER", own | dict(headers or {}))

    def wait_transferred(self, timeout: float | None = None) -> int:
        """Wait for the NOTIFY that ends a REFER; return the status it reports."""
        dialog = self.dialog
        return self.phone.wait(lambda: dialog.transferred, timeout, "the NOTIFY that ends a REFER")

    @property
    def ending(self) -> Message | None:
        """What ended it: BYE, CANCEL, or a refusal."""
        return self.dialog.end

    @property
    def ended(self) -> bool:
        return self.ending is not None

    def wait_ended(self, timeout: float | None = None) -> Message:
        """Wait for the end; return what made it."""
        return self.phone.wait(lambda: self.ending, timeout, "the end of the call")


class Dialog(InDialog):
    """One dialog: early until it is confirmed, over when it has an `end`."""

    def __init__(self, phone: "Phone", invite: Message, local: str, remote: str):
        self.phone, self.invite, self.local, self.remote = phone, invite, local, remote
        self.call_id, self.target = invite.call_id, invite.uri
        self.routes: list[str] = []
        self.confirmed = False
        self.end: Message | None = None
        self.transferred = 0
        self.served: dict[int, Incoming] = {}
        "INVITEs received, by CSeq; the first of a dialog that the other side began among them."
        self._cseq = invite.cseq if local == invite.headers["From"] else 0
        self._remote_cseq = 0 if self._cseq else invite.cseq
        self._acks: dict[int, Message] = {}

    @classmethod
    def of_caller(cls, phone: "Phone", invite: Message, response: Message) -> "Dialog":
        dialog = cls(phone, invite, invite.headers["From"], response.headers["To"])
        dialog.learn(response)
        return dialog

    @classmethod
    def of_callee(cls, phone: "Phone", incoming: Incoming) -> "Dialog":
        invite = incoming.request
        local = incoming.build(180).headers["To"]
        dialog = cls(phone, invite, local, invite.headers["From"])
        dialog.refresh(invite)
        dialog.routes = invite.headers.all("Record-Route")
        dialog.served[invite.cseq] = incoming
        return dialog

    @property
    def dialog(self) -> "Dialog":
        return self

    @property
    def id(self) -> DialogId:
        return (self.call_id, Address.parse(self.local).tag, Address.parse(self.remote).tag)

    @property
    def replaces(self) -> str:
        """The value of Replaces by which a third phone takes the other side's end of this dialog."""
        call_id, ours, theirs = self.id
        return f"{call_id};to-tag={theirs};from-tag={ours}"

    @property
    def next_hop(self) -> str:
        return Address.parse(self.routes[0]).uri if self.routes else self.target

    def refresh(self, message: Message) -> None:
        """Take the other side's new Contact."""
        if "Contact" in message.headers:
            self.target = message.address("Contact").uri

    def learn(self, response: Message) -> None:
        """Take the route and the Contact from a response to our INVITE; a 200's may differ from a 180's."""
        self.routes = response.headers.all("Record-Route")[::-1]
        self.refresh(response)

    def wait_usable(self) -> None:
        """The one who answered has to see the ACK before he sends anything (RFC 3261, 15)."""
        answered = self.served.get(self.invite.cseq)
        if answered and answered.status >= 200:
            answered.wait_ack()

    def is_in_order(self, request: Message) -> bool:
        """Take the other side's number; say whether it follows those before (RFC 3261, 12.2.2)."""
        follows = request.cseq > self._remote_cseq
        self._remote_cseq = max(request.cseq, self._remote_cseq)
        return follows or request.method == "OPTIONS"  # the switch's own question has an old one

    def next_cseq(self) -> int:
        self._cseq += 1
        return self._cseq

    def send(
        self,
        method: str,
        headers: HeaderValues | None = None,
        body: str = "",
        receive: Callable[[Message], object] = lambda response: None,
    ) -> SentRequest:
        """Send a request without waiting for its answer."""
        with self.phone.lock:
            request, peer = self._build(method, self.next_cseq(), headers, body)

            def on_response(response: Message) -> None:
                self._on_response(sent, response)
                receive(response)

            sent = SentRequest(self.phone, request, peer, self.next_cseq, on_response)
            if method == "BYE":
                self.end = self.end or request
            sent.start()
            return sent

    def _build(
        self, method: str, cseq: int, headers: HeaderValues | None, body: str
    ) -> tuple[Message, tuple[str, int]]:
        peer = self.phone.reach(Uri.parse(self.next_hop))
        request = self.phone.build(method, self.target, (self.local, self.remote), (self.call_id, cseq), body)
        request.headers.add("Route", self.routes)
        for name, value in (headers or {}).items():
            request.headers.set(name, value)
        return request, peer

    def _on_response(self, sent: SentRequest, response: Message) -> None:
        accepted = 200 <= response.status < 300
        if accepted and response.method in ("INVITE", "UPDATE"):
            self.refresh(response)
        if accepted and response.method == "INVITE":
            offered = not sent.request.body and response.body
            self.ack(self.phone.answer(response.body) if offered else "", sent.request)

    def ack(self, sdp: str = "", invite: Message | None = None) -> None:
        """Acknowledge the 2xx of our INVITE (the first of the dialog, or a later one)."""
        invite = invite or self.invite
        if invite.cseq not in self._acks:
            proof = {n: v for n, v in invite.headers if n in ("Authorization", "Proxy-Authorization")}
            self._acks[invite.cseq], _ = self._build("ACK", invite.cseq, proof, sdp)
        self.phone.send(self._acks[invite.cseq], self.phone.reach(Uri.parse(self.next_hop)))

    def on_ack(self, ack: Message) -> None:
        if ack.cseq in self.served:
            self.served[ack.cseq].on_ack(ack)


def rack(response: Message) -> str:
    """The RAck that confirms a reliable response (RFC 3262)."""
    return f"{response.headers['RSeq']} {response.headers['CSeq']}"
