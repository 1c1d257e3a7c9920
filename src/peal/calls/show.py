"""From rows to what the API shows of a call."""

from datetime import datetime
from typing import Any

from peal.calls import ids
from peal.calls.model import STRIDE
from peal.calls.schemas import Call, CallWithLegs, Cdr
from peal.kit import dates

Row = dict[str, Any]


def call(row: Row) -> Call:
    """Show a call."""
    return Call(**_call(row))


def with_legs(row: Row, legs: list[Row]) -> CallWithLegs:
    """Show a call with its legs."""
    return CallWithLegs(**_call(row), cdr=[leg(row, each) for each in legs])


def leg(row: Row, own: Row) -> Cdr:
    """Show a leg of a call."""
    fields = _fields(row, own) | _extension(row, own, "phone")
    return Cdr(
        **fields | {"init_time_gmt": dates.hundredths(own["init_time"])},
        transfer=own["transfer_reason"] is not None,
        source_number=row["from_username"],
        source_domain=row["domain"],
        dest_number=row["dialled"],
        dest_domain=row["domain"],
        ani_number=row["ani_number"],
        application="call",
        record_uuid=record_uuid(own),
        record_file_size=0,
        bundle_info=own["bundle_info"],
        transfer_reason=own["transfer_reason"],
        remote_call_sign=None,
    )


def record_uuid(own: Row) -> str:
    """Return the id of a leg's record."""
    return ids.record_uuid(own["extension_id"], own["part_id"], own["n"] % STRIDE)


def _call(row: Row) -> Row:
    return _fields(row, row) | _extension(row, row, row["extension_type"])


def _fields(row: Row, own: Row) -> Row:
    """Return what call and leg have; `own` is the row of that which is shown, `row` the call's."""
    answered = own["bridged_time"] is not None
    return {
        "call_uuid": ids.call_uuid(row["id"]),
        "flow": own["flow"],
        "init_time_gmt": dates.text(own["init_time"]),
        "start_time_gmt": dates.text(own["init_time"]),
        "bridged_time_gmt": dates.text(own["bridged_time"]) if answered else None,
        "hangup_time_gmt": dates.text(own["hangup_time"]),
        "duration": _seconds(own["init_time"], own["hangup_time"]),
        "bridged": answered,
        "bridged_duration": _seconds(own["bridged_time"], own["hangup_time"]) if answered else 0,
        "bridged_username": row["bridged_username"] if answered else None,
        "bridged_domain": row["domain"] if answered else None,
        "from_username": row["from_username"],
        "from_domain": row["domain"],
        "from_screen_name": row["from_screen_name"],
        "to_username": row["to_username"],
        "to_domain": row["domain"],
        "did_number": row["did_number"],
        "did_domain": row["domain"] if row["did_number"] else None,
        "ext_number_reg": row["did_number"] or row["ani_number"],
        "result": own["result"],
        "hangup_cause": own["hangup_cause"],
        "hangup_disposition": own["hangup_disposition"],
    }


def _extension(row: Row, own: Row, kind: str | None) -> Row:
    number = own["extension_number"]
    return {
        "extension_id": own["extension_id"],
        "extension_name": f"{number}@{row['domain']}" if own["extension_id"] else None,
        "extension_type": kind if own["extension_id"] else None,
        "extension_group_owner_id": None,
        "client_owner_id": row["client_id"],
    }


def _seconds(begin: datetime, end: datetime) -> int:
    return max(0, round((end - begin).total_seconds()))
