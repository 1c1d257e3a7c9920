"""The two ends of a call: `Call` was made here, `Leg` rings here."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from sip.dialog import Dialog, InDialog, rack
from sip.loop import Timer
from sip.message import Address, HeaderValues, Message
from sip.transaction import Incoming, SentRequest

if TYPE_CHECKING:
    from sip.phone import Phone

Acks = Literal["all", "first", "none"]
"Which answers a caller acknowledges by itself; `dialog.ack()` does it later."


class Call(InDialog):
    """An INVITE sent, its responses, and the dialogs they made: several if it was forked."""

    def __init__(self, phone: "Phone", request: Message, peer: tuple[str, int], acks: Acks):
        self.phone, self.acks, self.auto_prack = phone, acks, True
        self.dialogs: list[Dialog] = []
        self.answers: list[Dialog] = []
        "The dialogs that a 2xx has confirmed, in the order of those."
        self.watchers: list[Callable[[Message], object]] = []
        self._cseq = request.cseq
        self.sent = SentRequest(phone, request, peer, self._next_cseq, self._on_response)
        self._pracked: set[tuple[str, str]] = set()

    def _next_cseq(self) -> int:
        self._cseq += 1
        return self._cseq

    @property
    def invite(self) -> Message:
        """The INVITE as it was sent last, with credentials if they were asked for."""
        return self.sent.request

    @property
    def call_id(self) -> str:
        return self.sent.request.call_id

    @property
    def responses(self) -> list[Message]:
        return self.sent.responses

    @property
    def dialog(self) -> Dialog:
        """The one that was answered first, else the latest that rings."""
        if not self.dialogs:
            raise AssertionError(
                f"{self.phone.user}: no dialog yet in {self.call_id}\n{self.phone.history()}"
            )
        return (self.answers or self.dialogs[::-1])[0]

    @property
    def ending(self) -> Message | None:
        final = self.sent.final
        if final and final.status >= 300:
            return final
        return self.dialog.end if self.dialogs else None

    def wait(self, status: int, timeout: float | None = None) -> Message:
        """Wait for a response of this status; fail at once when the call has ended with another."""

        def found() -> Message | None:
            return next((each for each in self.responses if each.status == status), None)

        what = f"{status} to INVITE {self.invite.uri}"
        response = self.phone.wait(lambda: found() or self.sent.final, timeout, what)
        assert response.status == status, f"{what}: ended with {response.summary}\n{self.phone.history()}"
        return response

    def final(self, timeout: float | None = None) -> Message:
        """Wait for the final response."""
        return self.sent.wait(timeout)

    def cancel(self, headers: HeaderValues | None = None, timeout: float | None = None) -> Message:
        """Give up; return the answer to the CANCEL. The call's own end is `final()`."""
        what = f"a response to INVITE {self.invite.uri}, to be cancelled"
        last = self.phone.wait(lambda: self.sent.final or self._progressing(), timeout, what)
        assert last.status < 200, f"too late to cancel: {last.summary}\n{self.phone.history()}"
        answers: list[Message] = []
        with self.phone.lock:
            self.sent.transaction.cancel(headers, answers.append)
        return self.phone.wait(lambda: next(iter(answers), None), timeout, "an answer to CANCEL")

    def _progressing(self) -> Message | None:
        """The last response, if it is provisional: before one came nothing can be cancelled."""
        return next((each for each in self.responses[-1:] if each.status < 200), None)

    def _on_response(self, response: Message) -> None:
        if 100 < response.status < 300 and response.tag("To"):
            self._progress(self._dialog(response), response)
        elif response.status >= 300:
            for dialog in self.dialogs:
                dialog.end = dialog.end or response
        if not response.duplicate:
            for watcher in self.watchers:
                watcher(response)

    def _dialog(self, response: Message) -> Dialog:
        tag = response.tag("To")
        known = next((each for each in self.dialogs if each.id[2] == tag), None)
        if known:
            return known
        dialog = Dialog.of_caller(self.phone, self.invite, response)
        self.phone.dialogs[dialog.id] = dialog
        self.dialogs.append(dialog)
        return dialog

    def _progress(self, dialog: Dialog, response: Message) -> None:
        if response.status >= 200:
            self._answered(dialog, response)
        elif not dialog.confirmed:
            dialog.learn(response)
            self._confirm_reliable(dialog, response)

    def _answered(self, dialog: Dialog, response: Message) -> None:
        dialog.learn(response)
        if not dialog.confirmed:
            dialog.confirmed = True
            self.answers.append(dialog)
        if self.acks == "all" or (self.acks == "first" and dialog is self.answers[0]):
            offered = not self.invite.body and response.body
            dialog.ack(self.phone.answer(response.body) if offered else "")

    def _confirm_reliable(self, dialog: Dialog, response: Message) -> None:
        if not self.auto_prack or "100rel" not in response.headers.all("Require"):
            return
        once = (dialog.id[2], response.headers["RSeq"])
        if once not in self._pracked:
            self._pracked.add(once)
            dialog.send("PRACK", {"RAck": rack(response)})


class Leg(InDialog):
    """An INVITE received. It rings until one of `answer`, `decline`, `redirect`, or a CANCEL."""

    def __init__(self, phone: "Phone", incoming: Incoming, replaced: Dialog | None = None):
        self.phone, self.incoming, self.replaced = phone, incoming, replaced
        self._dialog = Dialog.of_callee(phone, incoming)
        incoming.dialog, incoming.leg = self._dialog, self
        self.cancelled: Message | None = None
        self._rseq = 0
        self._unconfirmed: dict[str, Timer] = {}

    @property
    def dialog(self) -> Dialog:
        return self._dialog

    @property
    def invite(self) -> Message:
        return self.incoming.request

    @property
    def caller(self) -> Address:
        """Whom From shows."""
        return self.invite.address("From")

    def ring(
        self,
        status: int = 180,
        headers: HeaderValues | None = None,
        sdp: str | None = "",
        reliable: bool = False,
    ) -> Message:
        """Tell progress; with media of one's own where `sdp` is None. A reliable one waits for its PRACK."""
        with self.phone.lock:
            own = self._reliably() if reliable else {}
            body = self.phone.answer(self.invite.body) if sdp is None else sdp
            response = self.incoming.reply(status, own | dict(headers or {}), body)
            if reliable:
                again = self.incoming.insist_until(response, lambda: None)
                self._unconfirmed[rack(response)] = again
            return response

    def _reliably(self) -> dict[str, str]:
        self._rseq += 1
        return {"Require": "100rel", "RSeq": str(self._rseq)}

    def confirm(self, prack: Message) -> bool:
        """Take a PRACK; say whether it belongs to a response that waits for one."""
        timer = self._unconfirmed.pop(prack.headers.get("RAck"), None)
        if timer:
            timer.stop()
        return timer is not None

    def wait_pracked(self, timeout: float | None = None) -> None:
        self.phone.wait(lambda: self._rseq and not self._unconfirmed, timeout, "a PRACK")

    def answer(self, sdp: str | None = None, headers: HeaderValues | None = None) -> Message:
        """Pick up; a call that this one replaces is hung up."""
        with self.phone.lock:
            assert not self.ended, f"{self.phone.user}: the call is over\n{self.phone.history()}"
            body = self.phone.answer(self.invite.body) if sdp is None else sdp
            self._dialog.confirmed = True
            response = self.incoming.reply(200, headers, body)
            if self.replaced:
                self.replaced.send("BYE")
            return response

    def decline(self, status: int = 486, headers: HeaderValues | None = None) -> Message:
        with self.phone.lock:
            response = self.incoming.reply(status, headers)
            self._dialog.end = self._dialog.end or response
            return response

    def redirect(self, uri: str, status: int = 302) -> Message:
        return self.decline(status, {"Contact": f"<{self.phone.uri(uri)}>"})

    def cancel(self, message: Message) -> None:
        """Take a CANCEL: it ends what is not answered yet."""
        if self.incoming.status < 200:
            self.cancelled = self._dialog.end = message
            self.incoming.reply(487)

    def wait_cancelled(self, timeout: float | None = None) -> Message:
        """Wait for the CANCEL; the phone has answered it, and the INVITE with 487."""
        return self.phone.wait(lambda: self.cancelled, timeout, f"CANCEL of {self.invite.summary}")

    def wait_ack(self, timeout: float | None = None) -> Message:
        return self.incoming.wait_ack(timeout)
