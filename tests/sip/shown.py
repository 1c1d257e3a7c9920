"""What the API shows of a call, whole: every field is what follows from those that a row names."""

import re
from datetime import datetime

from sip.exchange import DOMAIN, Office
from sip.story import Story

CAUSES = {
    ("answered", "caller_bye"): {"NORMAL_CLEARING"},
    ("answered", "callee_bye"): {"NORMAL_CLEARING"},
    ("answered", "internal_cancel"): {"NORMAL_CLEARING", "RECOVERY_ON_TIMER_EXPIRE"},
    ("answered elsewhere", "internal_cancel"): {"LOSE_RACE"},
    ("not answered", "caller_cancel"): {"ORIGINATOR_CANCEL"},
    ("not answered", "callee_refuse"): {"NO_ANSWER"},
    ("not answered", "internal_cancel"): {
        "NO_ANSWER",
        "NORMAL_CLEARING",
        "NO_USER_RESPONSE",
        "RECOVERY_ON_TIMER_EXPIRE",
        "ORIGINATOR_CANCEL",
    },
    ("busy", "callee_refuse"): {"USER_BUSY"},
    ("busy", "internal_cancel"): {"USER_BUSY"},
    ("rejected", "callee_refuse"): {"CALL_REJECTED"},
    ("failed", "internal_cancel"): {
        "SUBSCRIBER_ABSENT",
        "UNALLOCATED_NUMBER",
        "OUTGOING_CALL_BARRED",
        "NORMAL_TEMPORARY_FAILURE",
    },
    ("failed", "callee_refuse"): {"NORMAL_TEMPORARY_FAILURE", "UNALLOCATED_NUMBER"},
}
"How a call or a leg may have ended, and why."
OF_BOTH = ("call_uuid", "from_username", "from_screen_name", "to_username", "did_number", "ext_number_reg")
"What a leg repeats of its call."
NAMED = (*OF_BOTH, "flow", "extension_id", "result", "hangup_cause", "hangup_disposition", "bridged_username")
"What rows name themselves, and what is compared in another way."
TIMES = tuple(f"{name}_time_gmt" for name in ("init", "start", "bridged", "hangup"))
TIMES += ("duration", "bridged_duration")


def check(office: Office, call: dict, story: Story) -> None:
    """Compare a call of `call_history`, and each of its legs, with what the switch has told of it."""
    whole = {name: value for name, value in call.items() if name != "cdr"}
    number = office.number(call["extension_id"])
    assert whole == _expected(office, whole) | {
        "extension_type": number and office.types.get(number, "phone")
    }
    legs = call["cdr"]
    for leg in legs:
        assert leg == _expected(office, leg) | _of_a_leg(office, leg, story)
        assert {name: leg[name] for name in OF_BOTH} == {name: call[name] for name in OF_BOTH}
        assert leg["init_time_gmt"][:19] >= call["init_time_gmt"]
    assert len({leg["record_uuid"] for leg in legs}) == len(legs)


def _expected(office: Office, one: dict) -> dict:
    """What a call or a leg shows, but for what rows name themselves: that is taken as it is."""
    bridged, number = one["result"] == "answered", office.number(one["extension_id"])
    assert re.fullmatch("[0-9A-F]{32}", one["call_uuid"])
    assert one["hangup_cause"] in CAUSES[one["result"], one["hangup_disposition"]]
    assert bridged == (one["bridged_username"] is not None)
    _check_times(one, bridged=bridged)
    return {name: one[name] for name in (*NAMED, *TIMES)} | {
        "bridged": bridged,
        "bridged_domain": DOMAIN if bridged else None,
        "from_domain": DOMAIN,
        "to_domain": DOMAIN,
        "extension_name": number and f"{office.user(number)}@{DOMAIN}",
        "extension_type": number and "phone",
        "extension_group_owner_id": None,
        "client_owner_id": office.tenant.id,
        "did_domain": DOMAIN if one["did_number"] else None,
    }


def _check_times(one: dict, *, bridged: bool) -> None:
    """They follow each other, and the durations from them."""
    init, hangup = map(datetime.fromisoformat, (one["start_time_gmt"], one["hangup_time_gmt"]))
    assert one["init_time_gmt"][:19] == one["start_time_gmt"]
    assert abs((hangup - init).total_seconds() - one["duration"]) <= 1
    if bridged:
        answered = datetime.fromisoformat(one["bridged_time_gmt"])
        assert init <= answered <= hangup
        assert abs((hangup - answered).total_seconds() - one["bridged_duration"]) <= 1
    else:
        assert (one["bridged_time_gmt"], one["bridged_duration"]) == (None, 0)


def _of_a_leg(office: Office, leg: dict, story: Story) -> dict:
    """What only legs have."""
    ani = [event["ani"] for event in story.events if event.get("ani", "-") != "-"]
    assert leg["transfer_reason"] in (None, "bl_xfer", "rf")
    assert re.fullmatch(f"{leg['extension_id'] or 0}-[0-9A-F]{{32}}", leg["record_uuid"])
    assert leg["ext_number_reg"] == (leg["did_number"] or leg["ani_number"])
    bundle_of(office, leg)
    return {
        "transfer": leg["transfer_reason"] is not None,
        "source_number": leg["from_username"],
        "source_domain": DOMAIN,
        "dest_number": story.dialled,
        "dest_domain": DOMAIN,
        "ani_number": ani[0] if ani else None,
        "application": "call",
        "record_uuid": leg["record_uuid"],
        "record_file_size": 0,
        "bundle_info": leg["bundle_info"],
        "transfer_reason": leg["transfer_reason"],
        "remote_call_sign": None,
    }


def bundle_of(office: Office, leg: dict) -> str | None:
    """The number of the bundle, or of the phone that called; with its id, and the begin of a call's name."""
    if leg["bundle_info"] is None:
        return None
    extension_id, number, trace = leg["bundle_info"].split(";")
    assert office.ids[number] == int(extension_id)
    assert re.fullmatch("[0-9a-f]{4}", trace)
    return number
