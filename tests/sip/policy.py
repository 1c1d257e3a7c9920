"""How a phone answers by itself. A policy takes an `Incoming` and runs in the phone's thread, so it may
send but not wait; `phone.policies["INFO"] = refuse(415)` puts another in place."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote

from sip.message import Message, Uri
from sip.transaction import Incoming

if TYPE_CHECKING:
    from sip.call import Call

Policy = Callable[[Incoming], object]


def accept(incoming: Incoming) -> None:
    incoming.reply(200)


def refuse(status: int) -> Policy:
    return lambda incoming: incoming.reply(status)


def leave(incoming: Incoming) -> None:
    """Say nothing: the test answers, see `phone.expect`."""


def accept_options(incoming: Incoming) -> None:
    incoming.reply(200, {"Allow": ", ".join(DEFAULT)})


def accept_media(incoming: Incoming) -> None:
    """Answer an offer; a re-INVITE without one gets ours."""
    offer = incoming.request.body
    wants_media = bool(offer) or incoming.request.method == "INVITE"
    incoming.reply(200, body=incoming.phone.answer(offer) if wants_media else "")


def accept_bye(incoming: Incoming) -> None:
    assert incoming.dialog
    incoming.dialog.end = incoming.request
    incoming.reply(200)


def accept_cancel(incoming: Incoming) -> None:
    assert incoming.leg
    incoming.reply(200)
    incoming.leg.cancel(incoming.request)


def accept_prack(incoming: Incoming) -> None:
    assert incoming.dialog
    first = incoming.dialog.served.get(incoming.dialog.invite.cseq)
    known = first is not None and first.leg is not None and first.leg.confirm(incoming.request)
    incoming.reply(200 if known else 481)


def accept_notify(incoming: Incoming) -> None:
    """A NOTIFY that ends a transfer tells the dialog how it went."""
    incoming.reply(200)
    _, _, fragment = incoming.request.body.partition("SIP/2.0 ")
    if incoming.dialog and fragment and int(fragment[:3]) >= 200:
        incoming.dialog.transferred = int(fragment[:3])


def accept_refer(incoming: Incoming) -> None:
    """Promise to call, and do not."""
    incoming.reply(202)


def report_refer(incoming: Incoming) -> None:
    """Claim to have called: 202, then NOTIFYs of success."""
    incoming.reply(202)
    _report(incoming, 100)
    _report(incoming, 200)


def follow_refer(incoming: Incoming) -> None:
    """Really call whom Refer-To names, with its Replaces, and tell how it went."""
    incoming.reply(202)
    _report(incoming, 100)
    call = _follow(incoming)

    def tell(response: Message) -> None:
        if response is call.sent.final:
            _report(incoming, response.status)

    call.watchers.append(tell)
    incoming.phone.followed.append(call)


def _follow(incoming: Incoming) -> "Call":
    request = incoming.request
    target, _, inner = request.address("Refer-To").uri.partition("?")
    replaces = Uri.parse(f"{target}?{inner}").headers.get("replaces")
    headers = {"Replaces": unquote(replaces)} if replaces else {}
    if "Referred-By" in request.headers:
        headers["Referred-By"] = request.headers["Referred-By"]
    return incoming.phone.invite(target, headers=headers)


def _report(incoming: Incoming, status: int) -> None:
    assert incoming.dialog
    fragment = Message.response(status, ()).start_line + "\r\n"
    state = "active;expires=60" if status < 200 else "terminated;reason=noresource"
    headers = {"Event": "refer", "Subscription-State": state, "Content-Type": "message/sipfrag"}
    incoming.dialog.send("NOTIFY", headers, fragment)


DEFAULT: dict[str, Policy] = {
    "INVITE": accept_media,  # inside a dialog; one that begins a call is for the test, or `phone.on_call`
    "UPDATE": accept_media,
    "BYE": accept_bye,
    "CANCEL": accept_cancel,
    "OPTIONS": accept_options,
    "PRACK": accept_prack,
    "INFO": accept,
    "MESSAGE": accept,
    "NOTIFY": accept_notify,
    "REFER": accept_refer,
}
INSIDE_ONLY = {"BYE", "UPDATE", "PRACK", "INFO"}
