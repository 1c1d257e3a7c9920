"""How a call, or one phone's part of it, ended: from the codes of SIP to the words of the contract."""

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """How it ended, in the words of the contract."""

    status: str
    """`CallStatus` of events."""
    result: str
    cause: str
    """`hangup_cause`."""
    disposition: str
    """`hangup_disposition`."""


_BYE = {"caller": "caller_bye", "callee": "callee_bye"}
_BUSY = {"486", "600"}
_CAUSES = {"404": "UNALLOCATED_NUMBER", "403": "OUTGOING_CALL_BARRED", "480": "SUBSCRIBER_ABSENT"}


def answered(ended_by: str) -> Outcome:
    """Return the outcome of a call that was answered; `ended_by` as the switch says it."""
    disposition = _BYE.get(ended_by, "internal_cancel")
    return Outcome("ANSWER", "answered", "NORMAL_CLEARING", disposition)


def lost(*, was_answered: bool, rang: bool) -> Outcome:
    """Return the outcome of a call whose switch died; its end is when that was noticed."""
    if was_answered:
        status, result = "ANSWER", "answered"
    else:
        status, result = ("NOANSWER", "not answered") if rang else ("CHANUNAVAIL", "failed")
    return Outcome(status, result, "RECOVERY_ON_TIMER_EXPIRE", "internal_cancel")


def not_answered(code: str, *, rang: bool, declined: bool) -> Outcome:
    """Return the outcome of a call that ended with `code` for who called.

    `rang`: a phone was called; `declined`: one of them said no by itself.
    """
    refused = "callee_refuse" if declined else "internal_cancel"
    match code:
        case "486" | "600":
            return Outcome("BUSY", "busy", "USER_BUSY", refused)
        case "603":
            return Outcome("BUSY", "rejected", "CALL_REJECTED", refused)
        case "487":
            return Outcome("CANCEL", "not answered", "ORIGINATOR_CANCEL", "caller_cancel")
        case "480" if rang:
            return Outcome("NOANSWER", "not answered", "NO_ANSWER", refused)
        case "480":
            return Outcome("CHANUNAVAIL", "failed", "SUBSCRIBER_ABSENT", refused)
    return Outcome("CONGESTION", "failed", _CAUSES.get(code, "NORMAL_TEMPORARY_FAILURE"), refused)


def ended_by_switch(*, rang: bool) -> Outcome:
    """Return the outcome of a call that was ended through the API before anybody answered."""
    return Outcome("CANCEL", "not answered" if rang else "failed", "NORMAL_CLEARING", "internal_cancel")


def refused(code: str, *, to_a_phone: bool) -> Outcome:
    """Return the outcome of a call that the switch refused; `to_a_phone`: of ours, else there is none."""
    if code == "480" and not to_a_phone:
        return Outcome("CONGESTION", "failed", "UNALLOCATED_NUMBER", "internal_cancel")
    return not_answered(code, rang=False, declined=False)


def of_leg(code: str, *, was_answered: bool) -> Outcome:
    """Return the outcome of a phone that did not get the call; `was_answered`: another one did."""
    if was_answered and (code == "487" or code.startswith("2")):
        return Outcome("CANCEL", "answered elsewhere", "LOSE_RACE", "internal_cancel")
    if code in ("487", "408", "timeout"):
        cause = "ORIGINATOR_CANCEL" if code == "487" else "NO_USER_RESPONSE"
        return Outcome("NOANSWER", "not answered", cause, "internal_cancel")
    if code in _BUSY:
        return Outcome("BUSY", "busy", "USER_BUSY", "callee_refuse")
    return Outcome("BUSY", "rejected", "CALL_REJECTED", "callee_refuse")
