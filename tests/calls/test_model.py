"""From events to calls: the same history whatever becomes of the events on their way."""

import msgspec
import pytest
from calls import made_up
from hypothesis import given
from hypothesis import strategies as st

from peal.calls import ids
from peal.calls.event import Event, Known, micros
from peal.calls.model import assemble
from peal.calls.notices import notices

RESULTS = {"480": "not answered", "486": "busy", "487": "not answered", "603": "rejected"}
STATUS = {"480": "NOANSWER", "486": "BUSY", "487": "CANCEL", "603": "BUSY"}
BYES = {"caller": "caller_bye", "callee": "callee_bye", "switch": "internal_cancel"}


def history(told):
    """All that is kept of a call, and all that its sides are told."""
    call = assemble(told)
    if call is None:
        return None
    return call.id, call.ended, call.outcome, call.legs, notices(call), [p.account for p in call.parts]


# Break: model.py, assemble: without its `sorted` of events; with a list in the place of the `{...}.values()`.
@given(made_up.scripts(), st.data())
def test_shuffled_repeated_and_dropped_events_make_the_same_history(script, data):
    whole = made_up.events(script)
    kept = [event for event in whole if data.draw(st.booleans())]
    again = data.draw(st.lists(st.sampled_from(kept), max_size=5)) if kept else []
    assert history(data.draw(st.permutations(kept + again))) == history(kept)


# Break: model.py, _winner: the last that said 2xx or is open; outcome.py, of_leg: any line.
@given(made_up.scripts())
def test_a_whole_call_is_told_as_it_was(script):
    call = assemble(made_up.events(script))
    rang = [leg for leg in call.legs if leg.flow == "in"]
    assert [(leg.number[-3:], leg.outcome.result) for leg in rang] == made_up.legs(script)
    assert {leg.bundle_info for leg in rang} == {"1;100;aaaa"}
    was_answered = script.answers is not None
    assert [leg.n - 1 for leg in rang if leg.answered] == ([script.answers] if was_answered else [])
    if script.is_lost:
        expected = "answered" if was_answered else "not answered"
        assert (call.outcome.result, call.outcome.cause) == (expected, "RECOVERY_ON_TIMER_EXPIRE")
    elif was_answered:
        assert (call.outcome.result, call.outcome.disposition) == ("answered", BYES[script.ended_by])
    else:
        assert call.outcome.result == RESULTS[script.code]
    assert call.ended == max(event.moment for event in made_up.events(script))


@given(made_up.scripts())
def test_each_side_is_told_once_of_each_thing_in_order(script):
    told = notices(assemble(made_up.events(script)))
    for flow, dial in (("in", "dial-in"), ("out", "dial-out")):
        own = [notice for notice in told if notice.flow == flow]
        middle = [] if script.answers is None else ["answer"]
        assert [notice.event_type for notice in own] == [dial, *middle, "hangup"]
        assert [notice.seq for notice in own] == sorted(notice.seq for notice in own)
        assert not any(notice.gap for notice in own)
        expected = "ANSWER" if middle else STATUS[script.code]
        if script.is_lost and not middle:
            expected = "NOANSWER"
        assert own[-1].parameters["CallStatus"] == expected


# Break: notices.py, _is_gap: return False.
@given(made_up.scripts(), st.data())
def test_what_comes_after_a_missing_event_says_so(script, data):
    whole = made_up.events(msgspec.structs.replace(script, is_lost=False))
    missing = data.draw(st.sampled_from(whole))
    call = assemble(event for event in whole if event is not missing)
    assert {notice.gap for notice in notices(call) if notice.seq > missing.seq} <= {True}
    assert {notice.gap for notice in notices(call) if notice.seq < missing.seq} <= {False}


# Break: model.py, _Story.end: `lost` first.
@given(made_up.scripts())
def test_a_hangup_that_comes_after_all_wins_over_a_lost_call(script):
    lost = made_up.events(msgspec.structs.replace(script, is_lost=True))
    over = made_up.events(msgspec.structs.replace(script, is_lost=False))
    assert assemble(over + lost[-1:]).outcome == assemble(over).outcome
    assert assemble(over + lost[-1:]).ended == over[-1].moment


# Break: model.py, root: return call_id; Call.ended: `max(ends)` always.
@given(made_up.scripts(), made_up.scripts(), st.data())
def test_what_comes_of_a_call_by_a_transfer_is_one_call_with_it(first, second, data):
    before = made_up.events(first, "a" * 32)
    after = [
        msgspec.structs.replace(
            event, transfer="a" * 32 if event.known else "", at=event.at.replace("17", "18")
        )
        for event in made_up.events(second, "b" * 32)
    ]
    both = data.draw(st.permutations(before + after))
    call = assemble(both)
    assert history(both) == history(before + after)
    assert (call.id, [part.id[0] for part in call.parts]) == ("a" * 32, ["a", "b"])
    assert {notice.parameters["CallID"] for notice in notices(call)} == {"A" * 32}
    assert {notice.call_id[0] for notice in notices(call)} == {"a", "b"}
    assert len({leg.n for leg in call.legs}) == len(call.legs) == 10
    assert call.ended == max(part.ended for part in call.parts)
    assert assemble(before + after[:-1]).ended is None
    assert assemble(after).id == "a" * 32


def told(kind, **fields):
    """A call with one event."""
    parties = {"domain": "pbx.test", "from": "0003*101", "from_main": "0003*100", "dialled": "x"}
    body = {"call": "a" * 32, "seq": 1, "type": kind, "at": "1700000000.000000", "known": made_up.KNOWN}
    return assemble([msgspec.convert(body | parties | fields, Event)])


# Break: outcome.py, refused: without `to_a_phone`; model.py, _Story.called: `reached` is True.
@pytest.mark.parametrize(
    ("to", "code", "flow", "status", "result"),
    [
        ("0003*200", "486", "in", "BUSY", "busy"),  # row 22
        ("0003*200", "480", "in", "CHANUNAVAIL", "failed"),  # row 17
        ("0003*300", "480", "in", "CONGESTION", "failed"),  # row 36: it has no phones
        ("79161234567", "403", "out", "CONGESTION", "failed"),  # rows 28, 35
        ("999", "404", "out", "CONGESTION", "failed"),  # row 36
        ("0003*999", "404", "out", "CONGESTION", "failed"),
        ("", "403", "out", "CONGESTION", "failed"),
    ],
)
def test_a_call_that_is_refused(to, code, flow, status, result):
    call = told("refused", to=to, to_main=to, code=code)
    assert (call.first.flow, call.outcome.status, call.outcome.result) == (flow, status, result)
    own = [(notice.event_type, notice.extension_id) for notice in notices(call) if notice.flow == "out"]
    assert own == [("dial-out", 1), ("hangup", 1)]
    theirs = [(notice.event_type, notice.extension_id) for notice in notices(call) if notice.flow == "in"]
    extension_id = {"0003*200": 4, "0003*300": 5}.get(to)
    assert theirs == ([("dial-in", extension_id), ("hangup", extension_id)] if flow == "in" else [])


def test_events_that_say_nothing_of_whose_the_call_is_make_no_call():
    ring = {"call": "a" * 32, "seq": 1, "type": "ring", "at": "1700000000.000000", "device": "100", "leg": 0}
    assert assemble([msgspec.convert(ring, Event)]) is None
    assert assemble([]) is None


def test_who_calls_from_outside_to_a_number_bound_to_nobody_leaves_a_trace():
    fields = {"from": "79161234567", "from_main": "79161234567", "to": "74951234567", "known": Known(7)}
    call = told("refused", **fields, to_main="74951234567", did="74951234567", code="480")
    assert (call.first.flow, call.first.client_id, call.outcome.status) == ("in", 7, "CONGESTION")
    assert (call.legs, notices(call)) == ([], [])


# Break: notices.py, _called: without `is_between_members`.
@pytest.mark.parametrize(("caller", "called"), [("100", "101"), ("101", "100"), ("100", "100")])
def test_a_call_between_members_is_told_as_one_that_the_main_extension_makes(caller, called):
    """Rows 19 to 21."""
    call = told("begin", **{"from": f"0003*{caller}"}, to=f"0003*{called}", to_main="0003*100")
    [only] = notices(call)
    assert (only.event_type, only.flow, only.extension_id) == ("dial-out", "out", 1)
    assert only.parameters["CallerIDNum"] == caller
    assert (call.first.flow, call.first.account.number) == ("in", "0003*100")


# Break: notices.py, _Side: any line.
def test_what_both_sides_of_a_call_are_told_whole():
    """Row 1; the subscribers' record is compared with it elsewhere."""
    script = made_up.Script(1, {0: "487", 2: "487", 3: "487"}, "200", "caller", is_lost=False)
    first, *_, last = made_up.events(script)
    call = assemble(made_up.events(script))
    [winner] = [leg for leg in call.legs if leg.flow == "in" and leg.answered]
    both = {
        "CallID": "A" * 32,
        "CallerIDNum": "200",
        "CallerIDName": "Name 200",
        "CallerExtension": "0003*200@pbx.test",
        "CallerExtensionID": "4",
        "CalledNumber": "100",
        "CalledExtension": "0003*100@pbx.test",
        "CalledExtensionID": "1",
    }
    sides = {"out": (4, ids.record_uuid(4, "a" * 32, 0)), "in": (1, ids.record_uuid(2, "a" * 32, winner.n))}
    for flow, (extension_id, record) in sides.items():
        own = both | {
            "SubCallID": ids.sub_call_id(extension_id, "a" * 32, flow),
            "CallAPIID": f"{extension_id}-aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
            "CallFlow": flow,
        }
        if flow == "in":
            own["BundleInfo"] = "1;100;aaaa"
        dial, answer, hangup = [each.parameters for each in notices(call) if each.flow == flow]
        times = [str(micros(event.moment)) for event in (first, call.first.events[6], last)]
        assert dial == own | {"EventType": f"dial-{flow}", "EventTime": times[0], "CallStatus": "CALLING"}
        assert answer == own | {"EventType": "answer", "EventTime": times[1], "CallStatus": "ANSWER"}
        end = {"EventType": "hangup", "EventTime": times[2], "CallStatus": "ANSWER", "RecID": record}
        assert hangup == own | end | {"Duration": str(int(times[2]) - int(times[0]))}
    assert ids.sub_call_id(1, "a" * 32, "in") != ids.sub_call_id(1, "a" * 32, "out")
    assert ids.call_of(ids.call_api_id(1, "a" * 32)) == "a" * 32
    assert ids.call_of("1-x") is None
