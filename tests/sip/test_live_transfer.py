"""What the API does with calls that talk: `PUT` transfers them, or moves them to another phone (row 51)."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
import pytest
from parts import until
from sip.exchange import Office
from sip.history import past
from sip.live import current, path, until_listed
from sip.phone import Phone
from sip.policy import accept_refer, follow_refer, refuse
from sip.story import stories
from sip.test_changes import talk
from sip.test_restart import kill, until_kept


def ask(office: Office, number: str, action: str, to: str) -> httpx.Response:
    """Have the only call of an extension transferred or moved."""
    listed = until_listed(office, number, answered=True)
    return office.tenant.api.put(path(office, number, listed), json={"action": action, "send_dst": to})


@contextmanager
def waiting(office: Office, phone: Phone) -> Iterator[Future[httpx.Response]]:
    """100's call is to be transferred to 201, this phone has promised to follow; give the answer to come."""
    phone.policies["REFER"] = accept_refer
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, office, "100", "transfer", "201")
        phone.expect("REFER")
        yield answer


def assert_goes_on(*ends):
    for end in ends:
        assert end.update().status == 200
        assert end.info().status == 200


# Break: refer.cfg, FOLLOWS: without `$dlg_var(follows)`; SEND_REFER: no Referred-By; REPORT: `return` first.
@pytest.mark.parametrize("caller", ["101", "200"])
@pytest.mark.parametrize("of", ["100", "101"])
def test_a_call_is_transferred_by_the_other_sides_phone(office, three, caller, of):
    one, colleague, other = three
    mine, theirs = talk(one, "200", colleague) if caller == "101" else talk(colleague, "100", one)[::-1]
    assert_goes_on(mine, theirs)
    listed = until_listed(office, of, answered=True)
    answer = ask(office, of, "transfer", "201")
    assert (answer.status_code, answer.json()) == (200, listed)
    asked = colleague.expect("REFER").request
    assert asked.address("Referred-By").uri == "sip:100@pbx.test"
    assert asked.address("From").user == "100"
    leg = other.expect_invite()
    assert (leg.caller.user, leg.caller.display) == ("200", "Name 200")
    leg.ring()
    assert_goes_on(mine, theirs)
    leg.answer()
    assert mine.wait_ended().method == theirs.wait_ended().method == "BYE"
    new_call = colleague.wait_followed()
    assert_goes_on(new_call, leg)
    assert new_call.bye().status == 200
    assert [message.method for message in one.received if message.method in ("REFER", "NOTIFY")] == []
    assert colleague.leaks("101") == other.leaks("101") == []
    told = stories(office, 2)
    [old] = [each for each in told if each.all("transfer")]
    [new] = [each for each in told if each is not old]
    event = old.one("transfer")
    assert (event["device"], event["target"], event["reason"]) == ("101", "201", "bl_xfer")
    assert old.kinds == {"begin": 1, "answer": 1, "transfer": 1, "hangup": 1}
    assert new.one("begin")["transfer"] == old.one("begin")["call"]
    [call] = past(office, calls=1, told=2)
    before = ["in 200 answered", "out 100 answered, 101, bl_xfer"]
    if caller == "200":
        before = ["in 101 answered, 100, bl_xfer", "out 200 answered"]
    assert call.legs == sorted([*before, "in 201 answered", "out 200 answered"])


# Break: ring.cfg, PHONES: without `takes`; call.cfg, LIMIT: without it.
@pytest.mark.parametrize("to", ["100", "102"])
@pytest.mark.parametrize("caller", ["101", "200"])
def test_row_51_a_live_call_is_moved_to_another_phone_of_its_bundle(office, three, caller, to):
    one, colleague, _ = three
    office.put_phone("100", incoming_limit=1)  # before any of their rows is asked for
    main, two = office.phones("100", "102")
    if caller == "101":
        mine, theirs = talk(one, "200", colleague)
    else:
        theirs = colleague.invite("100")
        mine = one.expect_invite()
        mine.answer()
        assert theirs.final().status == 200
        for each in (main, two):
            each.expect_invite().wait_cancelled()
    assert ask(office, "100", "move", to).status_code == 200
    assert colleague.expect("REFER").request.address("Refer-To").uri == "sip:100@pbx.test"
    phone, silent = (main, two) if to == "100" else (two, main)
    leg = phone.expect_invite()
    assert leg.caller.user == "200"
    leg.answer()
    assert mine.wait_ended().method == theirs.wait_ended().method == "BYE"
    new_call = colleague.wait_followed()
    assert new_call.final().asserted_identity.user == "100"
    assert_goes_on(new_call, leg)
    [listed] = until(lambda: [each for each in current(office, to) if each["answer_time_gmt"]])
    assert listed["caller_extension"]["name"] == office.user("200")
    assert new_call.bye().status == 200
    heard = [message.call_id for message in (*silent.received, *one.received)]
    assert new_call.call_id not in heard  # of the bundle, that phone alone rings
    assert colleague.leaks("101") == colleague.leaks("102") == []
    [call] = past(office, calls=1, told=2)
    assert f"in {to} answered, 100" in call.legs
    assert sum("bl_xfer" in leg for leg in call.legs) == 1
    again = colleague.invite("100")  # nothing is held of the limit any more
    assert until(lambda: again.sent.responses and again.sent.responses[-1]).status in (100, 180)
    again.cancel()


# Break: control.py, refer: `return True` at its end.
@pytest.mark.parametrize("way", ["refuses", "promises only", "calls nobody"])
def test_where_the_phone_does_not_follow_the_call_goes_on(office, three, way):
    one, colleague, other = three
    mine, theirs = talk(colleague, "100", one)[::-1]
    policies = {"refuses": refuse(405), "promises only": accept_refer, "calls nobody": follow_refer}
    colleague.policies["REFER"] = policies[way]
    started = time.monotonic()
    answer = ask(office, "101", "transfer", "299" if way == "calls nobody" else "201")
    assert (answer.status_code, answer.json()["status"]) == (409, "not_transferable")
    assert (time.monotonic() - started > 4) == (way == "promises only")
    assert_goes_on(mine, theirs)
    late = colleague.invite("201")
    other.expect_invite().answer()
    assert late.final().status == 200
    assert_goes_on(mine, theirs, late)
    assert late.bye().status == 200
    assert theirs.bye().status == 200
    told = stories(office, 3 if way == "calls nobody" else 2)
    assert [each.all("transfer") for each in told if each.all("transfer")] == []


# Break: refer.cfg, REFER_SIDE: without ASKED_BEFORE.
def test_while_one_transfer_waits_there_is_no_other(office, three):
    one, colleague, other = three
    mine, theirs = talk(colleague, "100", one)[::-1]
    with waiting(office, colleague) as answer:
        assert ask(office, "100", "transfer", "102").status_code == 409
        late = colleague.invite("201")  # its user has agreed at last
        other.expect_invite().answer()
        assert answer.result(10).status_code == 200
    assert mine.wait_ended().method == theirs.wait_ended().method == "BYE"
    assert late.bye().status == 200


# Break: control.py, _follows: without `live`.
def test_who_hangs_up_while_a_transfer_waits_is_not_transferred(office, three):
    one, colleague, other = three
    mine, theirs = talk(colleague, "100", one)[::-1]
    with waiting(office, colleague) as answer:
        assert mine.bye().status == 200
        assert answer.result(10).status_code == 404
    late = colleague.invite("201")
    other.expect_invite().answer()
    assert late.final().status == 200
    assert theirs.wait_ended().method == "BYE"
    assert late.bye().status == 200
    assert [each.one("begin").get("transfer") for each in stories(office, 2)] == [None, None]


# Break: refer.cfg, REFER_TO: the key without `$dlg_var(domain)`; transfer.cfg, call.cfg: the same.
def test_a_phone_of_the_same_number_in_another_domain_follows_nothing(office, exchange, three):
    one, colleague, _ = three
    twin = exchange.api.tenant(prefix=office.tenant.client["prefix"], domain="other.test")
    phones = {}
    for number in ("200", "201"):
        made = twin.extension(name=number, status="active")
        put = twin.api.put(f"/extension/{made}/phone/", json={"password": "generate"})
        phone = Phone(office.user(number), put.json()["password"], "other.test", proxy=exchange.address())
        phones[number] = office.stack.enter_context(phone)
        assert phone.register().status == 200
    mine, theirs = talk(colleague, "100", one)[::-1]
    with waiting(office, colleague) as answer:
        call, _ = talk(phones["200"], "201", phones["201"])
        assert answer.result(10).status_code == 409
    assert_goes_on(mine, theirs)
    assert call.bye().status == 200


# Break: refer.cfg, REFER_SIDE: without its first line.
def test_what_can_not_be_transferred_says_so(office, three, outside):
    one, colleague, _ = three
    did = outside.number("100")
    line = outside.line()
    outside.settle()
    call = line.phone.invite(did)
    leg = one.expect_invite()
    leg.ring()
    listed = until_listed(office, "100")
    url, body = path(office, "100", listed), {"action": "transfer", "send_dst": "201"}
    answer = office.tenant.api.put(url, json=body)
    assert (answer.status_code, answer.json()["status"]) == (409, "not_transferable")  # it rings
    leg.answer()
    assert call.final().status == 200
    assert ask(office, "100", "transfer", "201").status_code == 409  # of an outside line
    assert_goes_on(call, leg)
    assert call.bye().status == 200
    until(lambda: current(office) == [])
    mine, theirs = talk(one, "200", colleague)
    for number, reason in (("201", 400), ("0000*100", 400), ("102", 409), ("101", 409)):
        answer = ask(office, "100", "move", number)
        assert answer.status_code == reason, number
        if reason == 400:
            assert answer.json()["message"] == "send_dst: is no extension of this bundle"
    for body, name in (
        ({"action": "park", "send_dst": "201"}, "action"),
        ({"action": "transfer", "send_dst": "a b"}, "send_dst"),
        ({"action": "transfer"}, "send_dst"),
    ):
        answer = office.tenant.api.put(path(office, "100", current(office, "100")[0]), json=body)
        assert answer.status_code == 400
        assert name in answer.json()["message"]
    assert_goes_on(mine, theirs)
    heard = [*colleague.received, *line.phone.received, *one.received]
    assert [message for message in heard if message.method == "REFER"] == []
    assert mine.bye().status == 200


# Break: live_routes.py, _phone_to_move_to: always `main_number`.
def test_row_51_a_call_between_members_is_moved(office):
    """They know the numbers of each other."""
    main, one, two = office.phones("100", "101", "102")
    main.policies["REFER"] = follow_refer
    theirs, mine = talk(main, "101", one)
    assert ask(office, "101", "move", "102").status_code == 200
    assert main.expect("REFER").request.address("Refer-To").uri == "sip:102@pbx.test"
    leg = two.expect_invite()
    assert leg.caller.user == "100"
    leg.answer()
    assert mine.wait_ended().method == theirs.wait_ended().method == "BYE"
    assert main.wait_followed().bye().status == 200


# Break: trunks.cfg, AHEAD_OF_CALLED, AHEAD_OF_CALLER: `return` at its begin.
@pytest.mark.parametrize("caller", ["101", "200"])
def test_after_a_refused_transfer_all_requests_stay_in_their_order(office, exchange, three, caller):
    one, colleague, _ = three
    colleague.policies["REFER"] = refuse(603)
    mine, theirs = talk(one, "200", colleague) if caller == "101" else talk(colleague, "100", one)[::-1]
    assert_goes_on(mine, theirs)
    for _ in range(2):
        assert ask(office, "100", "transfer", "201").status_code == 409
        assert_goes_on(mine, theirs)
    assert mine.reinvite().status == 200
    until_kept(exchange, mine if caller == "101" else theirs)
    until(lambda: counted(exchange, office) == [("2",)])
    kill(exchange)
    assert_goes_on(mine, theirs)
    assert mine.bye().status == 200
    assert theirs.wait_ended().method == "BYE"


def counted(exchange, office):
    """By how many a side of the office's call is ahead, as the switch's file has it."""
    query = "select dialog_value from dialog_vars where dialog_key like 'ahead%' and (hash_entry, hash_id) in"
    query += " (select hash_entry, hash_id from dialog_vars where dialog_value like ?)"
    with closing(sqlite3.connect(exchange.folder / "switch" / "dialog.db")) as file:
        return file.execute(query, [f"%{office.user('')}%"]).fetchall()
