"""History and statistics over the API, of calls whose events were told."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

DAY = {"start_datetime": "2000-1-1", "end_datetime": "2100-1-1 00:00:00"}


def answered(board, *, caller="200", called="100", phone="101", at=0.0, **more):
    """A call that was answered."""
    call = board.call(caller, called, **more)
    call.at = at or call.at
    rang = ("100", "101", "102") if called == "100" else (called,)
    return call.begin(*rang).answer(phone).hangup(code="200", ended_by="caller").take()


def get(board, path, **query):
    answer = board.tenant.api.get(path, params=DAY | query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def uuids(board, **query):
    """Which calls a listing shows."""
    return [call["call_uuid"] for call in get(board, "/client/@me/calls/", **query)["calls"]]


def text(at, hundredths=False):
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{moment.microsecond // 10_000:02}" if hundredths else "")


# Break: model.py, Part.account: `self.caller`; show.py, _fields: any line.
def test_a_call_is_shown_whole(board):
    call = answered(board)
    begun, over = call.events[0]["at"], call.events[-1]["at"]
    talked = call.parties["answered_at"]
    times = [float(each) for each in (begun, talked, over)]
    main, shown = (
        board.ids["100"],
        {
            "call_uuid": call.uuid,
            "init_time_gmt": text(times[0]),
            "start_time_gmt": text(times[0]),
            "bridged_time_gmt": text(times[1]),
            "hangup_time_gmt": text(times[2]),
            "duration": 5,
            "bridged": True,
            "bridged_duration": 3,
            "bridged_username": board.full("101"),
            "bridged_domain": board.domain,
            "from_username": board.full("200"),
            "from_domain": board.domain,
            "from_screen_name": "Name 200",
            "to_username": board.full("100"),
            "to_domain": board.domain,
            "extension_type": "phone",
            "extension_group_owner_id": None,
            "client_owner_id": board.tenant.id,
            "did_number": None,
            "did_domain": None,
            "ext_number_reg": None,
            "result": "answered",
            "hangup_cause": "NORMAL_CLEARING",
            "hangup_disposition": "caller_bye",
        },
    )
    of_main = {"flow": "in", "extension_id": main, "extension_name": f"{board.full('100')}@{board.domain}"}
    whole = get(board, f"/client/@me/call_history/{call.id}")
    legs = whole.pop("cdr")
    assert whole == shown | of_main
    of_a_leg = {
        "transfer": False,
        "source_number": board.full("200"),
        "source_domain": board.domain,
        "dest_number": "100",
        "dest_domain": board.domain,
        "ani_number": None,
        "application": "call",
        "record_file_size": 0,
        "transfer_reason": None,
        "remote_call_sign": None,
    }
    records = [leg.pop("record_uuid") for leg in legs]
    assert len(set(records)) == 4
    trace = f"{main};100;{call.id[:4]}"
    callers = {"flow": "out", "extension_id": board.ids["200"], "bundle_info": None}
    callers["extension_name"] = f"{board.full('200')}@{board.domain}"
    first = {"init_time_gmt": text(times[0], hundredths=True)}
    assert legs[0] == shown | of_a_leg | callers | first
    assert records[0].startswith(f"{board.ids['200']}-")
    winners = {"flow": "in", "extension_id": board.ids["101"], "bundle_info": trace}
    winners["extension_name"] = f"{board.full('101')}@{board.domain}"
    assert legs[2] == shown | of_a_leg | winners | first
    loser = {"bridged": False, "bridged_time_gmt": None, "bridged_duration": 0, "bridged_username": None}
    loser |= {"bridged_domain": None, "result": "answered elsewhere", "hangup_cause": "LOSE_RACE"}
    loser |= {"hangup_disposition": "internal_cancel", "hangup_time_gmt": text(times[1]), "duration": 2}
    for leg, number in ((legs[1], "100"), (legs[3], "102")):
        own = {"flow": "in", "extension_id": board.ids[number], "bundle_info": trace}
        own["extension_name"] = f"{board.full(number)}@{board.domain}"
        assert leg == shown | of_a_leg | own | first | loser


def test_a_call_is_found_by_its_uuid_in_any_case_and_only_by_its_own_client(server, board):
    call = answered(board)
    for uuid in (call.id, call.uuid):
        assert get(board, f"/client/@me/call_history/{uuid}")["call_uuid"] == call.uuid
    for wrong in ("f" * 32, "x", call.id + "0"):
        assert board.tenant.api.get(f"/client/@me/call_history/{wrong}").status_code == 404
    stranger = server.tenant()
    assert stranger.api.get(f"/client/@me/call_history/{call.id}").status_code == 404
    assert stranger.api.get("/client/@me/calls/", params=DAY).json()["calls"] == []


def test_calls_and_stats_and_cdr_tell_the_same(board):
    incoming = answered(board)
    outgoing = answered_outside(board)
    page = {"page": 1, "per_page": 50, "order": "desc"}
    history = get(board, "/client/@me/call_history/")
    calls = get(board, "/client/@me/calls/")
    assert page.items() <= history.items()
    assert page.items() <= calls.items()
    with_legs = history["call_history"]
    assert [{k: v for k, v in call.items() if k != "cdr"} for call in with_legs] == calls["calls"]
    assert [call["call_uuid"] for call in calls["calls"]] == [outgoing.uuid, incoming.uuid]
    cdr = get(board, "/client/@me/cdr/")
    assert page.items() <= cdr.items()
    assert cdr["cdr"] == [leg for call in with_legs for leg in call["cdr"]]
    assert get(board, "/client/@me/calls/stats/") == {"in": {"total": 1}, "out": {"total": 1}}
    assert get(board, "/client/@me/calls/stats/", flow="in") == {"in": {"total": 1}, "out": {"total": 0}}


def answered_outside(board, caller="101", main="100"):
    """A call of the bundle to a number outside, over a trunk."""
    call = board.call(caller, "79161234567", main, ani="74951234567")
    call.begin("trunk:1")
    call.parties |= {"answered_by": "79161234567", "answered_at": f"{call.at + 1:.6f}", "trunk": "1"}
    call.add("leg", 1, device="trunk:1", leg=0, code="200").add("answer", **call.parties)
    return call.hangup(code="200", ended_by="callee").take()


# Break: model.py, Part.flow: always `in`.
def test_an_outgoing_call_is_the_main_extensions_and_its_leg_names_the_phone(board):
    call = answered_outside(board)
    shown = get(board, f"/client/@me/call_history/{call.id}")
    [leg] = shown["cdr"]
    assert (shown["flow"], shown["extension_id"]) == ("out", board.ids["100"])
    assert (shown["from_username"], shown["from_screen_name"]) == (board.full("100"), "Name 100")
    assert (shown["to_username"], shown["bridged_username"]) == ("79161234567", "79161234567")
    assert (shown["ext_number_reg"], leg["ani_number"]) == ("74951234567", "74951234567")
    assert (leg["flow"], leg["extension_id"]) == ("out", board.ids["100"])
    assert leg["bundle_info"] == f"{board.ids['101']};101;{call.id[:4]}"
    assert shown["hangup_disposition"] == "callee_bye"


def test_filters(board):
    now = time.time()
    first = answered(board, at=now - 7200)
    second = answered(board, called="101", to_main=board.full("100"), at=now - 3600)
    third = answered_outside(board, caller="200", main="200")
    assert uuids(board) == [third.uuid, second.uuid, first.uuid]
    assert uuids(board, order="asc") == [first.uuid, second.uuid, third.uuid]
    assert uuids(board, flow="in") == [second.uuid, first.uuid]
    assert uuids(board, flow="out") == [third.uuid]
    assert uuids(board, start_datetime=text(now - 5400)) == [third.uuid, second.uuid]
    assert uuids(board, end_datetime=text(now - 5400)) == [first.uuid]
    assert uuids(board, from_username=board.full("200"), to_username=board.full("101")) == [second.uuid]
    assert uuids(board, from_username="nobody") == []
    assert uuids(board, per_page=2) == [third.uuid, second.uuid]
    assert uuids(board, per_page=2, page=2) == [first.uuid]
    assert uuids(board, extension_id=board.ids["100"]) == [second.uuid, first.uuid]
    assert uuids(board, extension_id=board.ids["102"]) == [first.uuid]
    assert uuids(board, extension_id=board.ids["200"]) == [third.uuid, second.uuid, first.uuid]
    both = [board.ids["102"], board.ids["101"]]
    assert uuids(board, extension_id=both) == [second.uuid, first.uuid]
    assert uuids(board, **{"extension_id[0]": both[0]}) == [first.uuid]
    assert uuids(board, extension_id="", flow="") == [third.uuid, second.uuid, first.uuid]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start_datetime": ""}, "start_datetime"),
        ({"end_datetime": ""}, "end_datetime"),
        ({"start_datetime": "yesterday"}, "start_datetime"),
        ({"end_datetime": "2021-13-01"}, "end_datetime"),
        ({"flow": "up"}, "flow"),
        ({"extension_id": "x"}, "extension_id"),
        ({"page": "0"}, "page"),
        ({"per_page": "1001"}, "per_page"),
    ],
)
def test_a_bad_filter_is_a_400_that_names_it(board, query, field):
    paths = [f"/client/@me/{name}/" for name in ("call_history", "calls", "calls/stats", "cdr", "record")]
    own = [f"/extension/@100/{name}/" for name in ("cdr", "record")]  # their `extension_id` is in the path
    for path in paths + own * (field != "extension_id"):
        answer = board.tenant.api.get(path, params=DAY | query)
        if "stats" not in path or field not in ("page", "per_page"):
            assert answer.status_code == 400, path
            assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_date_may_be_unpadded_and_without_a_time(board):
    call = answered(board)
    now = datetime.now(UTC)
    start = f"{now.year}-{now.month}-{now.day}"
    assert uuids(board, start_datetime=start) == [call.uuid]
    assert uuids(board, start_datetime=f"{start} 0:0:0") == [call.uuid]


# Break: listing.py, legs: without `leg.c.bundle_extension_id.in_(of)`.
def test_a_main_extensions_cdr_has_its_members_legs_and_an_associated_ones_only_its_own(board):
    answered(board)
    answered_outside(board)

    def legs(number):
        found = get(board, f"/extension/@{number}/cdr/", order="asc")["cdr"]
        return [(leg["flow"], leg["extension_id"]) for leg in found]

    main, one, two, colleague = board.ids.values()
    assert legs("100") == [("in", main), ("in", one), ("in", two), ("out", main)]
    assert legs("101") == [("in", one), ("out", main)]
    assert legs("102") == [("in", two)]
    assert legs("200") == [("out", colleague)]
    assert [leg["flow"] for leg in get(board, "/extension/@100/cdr/", flow="out")["cdr"]] == ["out"]


def test_an_extensions_user_sees_its_own_legs_and_no_others(server, board):
    answered(board)
    user = server.api(board.tenant.id, extension=board.ids["101"])
    found = user.get("/extension/@me/cdr/", params=DAY).json()["cdr"]
    assert [leg["extension_id"] for leg in found] == [board.ids["101"]]
    assert user.get("/extension/@100/cdr/", params=DAY).status_code in (403, 404)
    assert user.get("/client/@me/call_history/", params=DAY).status_code in (403, 404)


def test_a_call_that_goes_on_is_not_in_the_history_yet(board):
    call = board.call("200", "100").begin("100", "101", "102").answer("101")
    call.take()
    assert uuids(board) == []
    board.take(call.hangup(code="200").events[-1])
    assert uuids(board) == [call.uuid]


def test_what_an_extension_did_stays_when_it_is_deleted(board):
    call = answered(board)
    before = get(board, f"/client/@me/call_history/{call.id}")
    for number in ("100", "101", "102", "200"):
        assert board.tenant.api.delete(f"/client/@me/extension/{board.ids[number]}").status_code == 204
    call.take()  # told once more
    assert get(board, f"/client/@me/call_history/{call.id}") == before


def test_there_are_no_records_yet(board):
    call = answered(board)
    record = get(board, f"/client/@me/call_history/{call.id}")["cdr"][0]["record_uuid"]
    for realm in ("/client/@me", "/extension/@100"):
        assert get(board, f"{realm}/record/") == []
        for path in (record, f"{record}/storage_url"):
            assert board.tenant.api.get(f"{realm}/record/{path}/").status_code == 404
        assert board.tenant.api.delete(f"{realm}/record/{record}").status_code == 404


# Break: limits.py, OneAtATime.one: without `self._busy.add`.
def test_a_second_statistics_request_at_the_same_time_is_refused(server, board):
    """On one worker; they are many until two meet."""
    answered(board)
    refusal = {"message": "Stats request already exists, concurrent request not allowed"}

    def ask(_):
        return board.tenant.api.get("/client/@me/call_history/", params=DAY)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            answers = list(pool.map(ask, range(8)))
            assert {answer.status_code for answer in answers} <= {200, 429}
            refused = [answer for answer in answers if answer.status_code == 429]
            assert any(answer.status_code == 200 for answer in answers)
            if refused:
                break
    assert refused
    assert refusal.items() <= refused[0].json().items()
    assert ask(0).status_code == 200
