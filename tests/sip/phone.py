"""A programmable SIP phone for tests: real messages over real sockets, every one of them on record.

    with Phone("100", "secret", "pbx.test", proxy=("127.0.0.1", port)) as phone:
        assert phone.register().status == 200
        call = phone.invite("200")
        call.wait(180)

A thread of its own reads, acknowledges, answers and sends again; the test waits for what shall happen.
Waits fail with the phone's last messages. No media: session descriptions only."""

import itertools
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from sip import sdp
from sip.agent import Agent
from sip.call import Acks, Call
from sip.digest import Challenge
from sip.message import HeaderValue, HeaderValues, Message, Uri, address, host_port
from sip.policy import DEFAULT
from sip.transaction import SentRequest
from sip.transport import Peer

CONTACT_IN = {"INVITE", "UPDATE", "REFER", "SUBSCRIBE", "NOTIFY", "OPTIONS"}


class Phone(Agent):
    """One phone. Several may share one user.

    Without a `proxy` each request goes to the host of its URI. Over TLS, `ca` makes it check the other's
    certificate against `domain`, and `certificate` (chain, key) lets it listen. `namespace` is a network
    namespace: a name or a path. `t1` scales all timers of RFC 3261, `patience` is how long a wait
    lasts that names no time of its own; both in seconds."""

    def __init__(
        self,
        user: str,
        password: str | None = None,
        domain: str = "pbx.test",
        proxy: Peer | None = None,
        transport: str = "udp",
        display: str | None = None,
        bind: str | Peer = "127.0.0.1",
        namespace: str | None = None,
        ca: Path | None = None,
        certificate: tuple[Path, Path] | None = None,
        t1: float = 0.5,
        trying: bool = True,
        patience: float = 5.0,
        login: str | None = None,
        preauthorize: bool = False,
    ):
        self.password, self.domain, self.proxy, self.display = password, domain, proxy, display
        self.login = login or user
        "The user in credentials."
        self.preauthorize = preauthorize
        "Send credentials with each request once challenged, as many phones do."
        self.agent = "Test phone"
        self.branch_mark = self.via_mark = ""
        "What it writes into the branch of its Via, and behind that: a phone may tell its number there."
        self.extra: dict[str, HeaderValue] = {}
        "Headers of its own in each request."
        self.sdp_extra: tuple[str, ...] = ()
        "Lines of its own in session descriptions."
        self.sdp_origin, self.media = user, ("", 40000)
        "The user in `o=` and `s=`; address and port of the media, the address empty for the phone's own."
        self.followed: list[Call] = []
        self._challenges: dict[str, Challenge] = {}
        self._registration = (secrets.token_hex(8), secrets.token_hex(6))
        self._registrations = 0
        self._media_version = 0
        super().__init__(user, transport, bind, namespace, domain, ca, certificate, t1, trying, patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What it is called

    @property
    def aor(self) -> str:
        return self.uri(self.user)

    def uri(self, target: str) -> str:
        """A number, in the phone's domain; a URI stays what it is."""
        return target if target.startswith(("sip:", "sips:", "tel:")) else f"sip:{target}@{self.domain}"

    @property
    def contact(self) -> str:
        """The URI at which this very phone is reached."""
        name = self.transport.name.lower()
        transport = "" if name == "udp" else f";transport={name}"
        return f"sip:{self.user}@{host_port(*self.transport.local)}{transport}"

    def via(self) -> str:
        """A new Via: a new transaction."""
        name, local = self.transport.name, host_port(*self.transport.local)
        branch = f"z9hG4bK{self.branch_mark}{secrets.token_hex(8)}"
        return f"SIP/2.0/{name} {local};branch={branch};rport{self.via_mark}"

    # Media

    def offer(self, given: str | None = None, hold: bool = False) -> str:
        """What is given, else the phone's own offer, else that on hold."""
        return self._describe("sendonly" if hold else "sendrecv") if given is None else given

    def answer(self, offer: str) -> str:
        """The answer to an offer, or an offer where there is none."""
        return self._describe(sdp.answer_to(offer))

    def _describe(self, direction: str) -> str:
        self._media_version += 1
        host, port = self.media
        host = host or self.transport.local[0]
        return sdp.describe(host, port, self.sdp_origin, self._media_version, direction, self.sdp_extra)

    # Requests outside dialogs

    def register(
        self,
        expires: int = 3600,
        contact: HeaderValue | None = None,
        headers: HeaderValues | None = None,
        timeout: float | None = None,
    ) -> Message:
        """Register this phone, or the given values of Contact; return the final response."""
        return self.start_register(expires, contact, headers).wait(timeout)

    def start_register(
        self, expires: int = 3600, contact: HeaderValue | None = None, headers: HeaderValues | None = None
    ) -> SentRequest:
        """Register without waiting: many phones at once."""
        call_id, tag = self._registration
        with self.lock:
            registrar = f"sip:{self.domain}"
            peer = self.reach(Uri.parse(registrar), outside=True)
            contact = f"<{self.contact}>" if contact is None else contact
            own: dict[str, HeaderValue] = {"Contact": contact, "Expires": expires}
            ends = (address(self.aor, self.display, tag), address(self.aor))
            request = self.build("REGISTER", registrar, ends, (call_id, self._next_registration()))
            _put(request, own | dict(headers or {}))
            return SentRequest(self, request, peer, self._next_registration).start()

    def _next_registration(self) -> int:
        self._registrations += 1
        return self._registrations

    def unregister(self, contact: HeaderValue | None = None) -> Message:
        """Take this phone's registration back; with `contact="*"` all of its user's."""
        return self.register(0, contact)

    def invite(
        self,
        target: str,
        headers: HeaderValues | None = None,
        sdp: str | None = None,
        from_user: str | None = None,
        from_display: str | None = None,
        from_uri: str | None = None,
        acks: Acks = "all",
        wait: bool = False,
    ) -> Call:
        """Call a number or URI. `sdp` None offers the phone's own, "" nothing.

        Headers given replace the phone's own of that name. With `wait` the final response has come."""
        with self.lock:
            sender = from_uri or self.uri(from_user or self.user)
            request, peer = self._outside("INVITE", target, sender, from_display, headers, self.offer(sdp))
            call = Call(self, request, peer, acks)
            call.sent.start()
        if wait:
            call.final()
        return call

    def request(
        self,
        method: str,
        target: str | None = None,
        headers: HeaderValues | None = None,
        body: str = "",
        timeout: float | None = None,
    ) -> Message:
        """Any other request outside dialogs, to a number, a URI, or the domain; return its final response."""
        return self.start_request(method, target, headers, body).wait(timeout)

    def start_request(
        self, method: str, target: str | None = None, headers: HeaderValues | None = None, body: str = ""
    ) -> SentRequest:
        """The same without waiting."""
        with self.lock:
            target = f"sip:{self.domain}" if target is None else target
            request, peer = self._outside(method, target, self.aor, None, headers, body)
            return SentRequest(self, request, peer, itertools.count(2).__next__).start()

    def send_raw(self, data: bytes, peer: Peer | None = None) -> None:
        """Anything at all, SIP or not, to the proxy or elsewhere; not on record."""
        peer = peer or self.proxy
        assert peer, "no proxy, no peer"
        with self.lock:
            self.transport.send(data, peer)

    def settle(self, timeout: float | None = None) -> None:
        """Wait for the proxy to answer a question: what it sent before has come, too."""
        self.request("OPTIONS", timeout=timeout)

    def wait_followed(self, timeout: float | None = None) -> Call:
        """The call that a REFER made this phone place, see `policy.follow_refer`."""
        return self.wait(lambda: next(reversed(self.followed), None), timeout, "a REFER to follow")

    def _outside(
        self,
        method: str,
        target: str,
        sender: str,
        display: str | None,
        headers: HeaderValues | None,
        body: str,
    ) -> tuple[Message, Peer]:
        uri = self.uri(target)
        peer = self.reach(Uri.parse(uri), outside=True)
        name = self.display if display is None else display
        ends = (address(sender, name, secrets.token_hex(6)), address(uri))
        request = self.build(method, uri, ends, (secrets.token_hex(12), 1), body)
        _put(request, headers or {})
        return request, peer

    # What dialogs and transactions build upon

    def build(
        self, method: str, uri: str, ends: tuple[str, str], ids: tuple[str, int], body: str = ""
    ) -> Message:
        """A request from `ends[0]` to `ends[1]`; `ids` are Call-ID and CSeq."""
        headers = [
            ("Via", self.via()),
            ("Max-Forwards", "70"),
            ("From", ends[0]),
            ("To", ends[1]),
            ("Call-ID", ids[0]),
            ("CSeq", f"{ids[1]} {method}"),
            ("User-Agent", self.agent),
        ]
        if method in CONTACT_IN:
            headers += [("Contact", f"<{self.contact}>"), ("Allow", ", ".join(["ACK", *DEFAULT]))]
        if body:
            headers += [("Content-Type", "application/sdp")]
        request = Message.request(method, uri, headers, body)
        _put(request, self.extra)
        if self.preauthorize and method != "ACK":
            for challenge in self._challenges.values():
                self.prove(request, challenge)
        return request

    def prove(self, request: Message, challenge: Challenge) -> None:
        """Add credentials."""
        assert self.password is not None
        self._challenges[challenge.header] = challenge
        proof = challenge.answer(request.method, request.uri, self.login, self.password)
        request.headers.set(challenge.header, proof)

    def reach(self, uri: Uri, outside: bool = False) -> Peer:
        """Where a request for this URI goes; make sure of the connection there."""
        peer = (uri.host, uri.port or (5061 if self.transport.name == "TLS" else 5060))
        if self.proxy and (outside or uri.host == self.domain):
            peer = self.proxy
        try:
            self.transport.connect(peer)
        except OSError:
            if not self.loop.is_here:
                raise
        return peer


def _put(request: Message, headers: HeaderValues) -> None:
    for name, value in headers.items():
        request.headers.set(name, value)
