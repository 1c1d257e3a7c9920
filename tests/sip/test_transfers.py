"""Behaviour table, row 32: a phone of the bundle transfers a colleague to another one."""

from contextlib import ExitStack

import pytest
from sip.exchange import Office
from sip.history import past
from sip.story import stories
from sip.test_changes import talk


# Break: transfer.cfg, REFER: without its `append_hf`; TRANSFER: without the line of `$sht(transfer=>...)`.
@pytest.mark.parametrize("caller", ["101", "200"])
def test_row_32_a_blind_transfer(office, three, caller):
    one, colleague, other = three
    if caller == "101":
        first, _ = talk(one, "200", colleague)
    else:
        _, first = talk(colleague, "100", one)
    assert first.refer("201").status == 202
    assert colleague.expect("REFER").request.address("Referred-By").uri == "sip:100@pbx.test"
    leg = other.expect_invite()
    assert (leg.caller.user, leg.caller.display) == ("200", "Name 200")
    assert leg.invite.asserted_identity.user == "200"
    leg.answer()
    assert first.wait_transferred() == 200
    assert first.bye().status == 200
    assert colleague.wait_followed().bye().status == 200
    assert colleague.leaks("101") == other.leaks("101") == []
    told = stories(office, 2)
    [old] = [each for each in told if each.all("transfer")]
    [new] = [each for each in told if each is not old]
    event = old.one("transfer")
    assert (event["device"], event["target"], event["reason"]) == ("101", "201", "bl_xfer")
    for kind in ("begin", "answer", "hangup"):
        assert new.one(kind)["transfer"] == old.one("begin")["call"]
    assert new.numbers("begin", "from", "to") == ("200", "201")
    [call] = past(office, calls=1, told=2)
    assert call.shown["call_uuid"] == old.one("begin")["call"].upper()
    before = ["in 200 answered", "out 100 answered, 101, bl_xfer"]
    if caller == "200":
        before = ["in 101 answered, 100, bl_xfer", "out 200 answered"]
    assert call.legs == sorted([*before, "in 201 answered", "out 200 answered"])


def mine_at(phone, end):
    """The same call as the other side's phone knows it."""
    return next(dialog for dialog in phone.dialogs.values() if dialog.id[1] == end.dialog.id[2])


# Break: transfer.cfg, REPLACES: `return` at its begin.
@pytest.mark.parametrize("consult", ["101 calls 201", "201 calls 100", "201 calls 101"])
def test_row_32_an_attended_transfer(office, three, consult):
    one, colleague, other = three
    another = office.phone("201")
    another.on_call = lambda leg: leg.decline(480)
    office.put_phone("201", incoming_limit=1)
    first, _ = talk(one, "200", colleague)
    if consult == "101 calls 201":
        mine, _ = talk(one, "201", other)
    else:
        _, mine = talk(other, consult[-3:], one)
    target = mine.dialog.target
    assert first.refer(target, replaces=mine).status == 202
    asked = colleague.expect("REFER").request
    assert asked.address("Referred-By").user == "100"
    leg = other.expect_invite()
    assert leg.replaced is mine_at(other, mine)
    asked = [message for message in another.received if "Replaces" in message.headers]
    assert asked == []  # it rings alone
    assert (leg.caller.user, leg.caller.display) == ("200", "Name 200")
    leg.answer()
    assert first.wait_transferred() == 200
    assert mine.wait_ended().method == "BYE"
    assert first.bye().status == 200
    new_call = colleague.wait_followed()
    assert new_call.final().asserted_identity.user == "201"
    assert new_call.update().status == 200
    assert new_call.bye().status == 200
    assert colleague.leaks("101") == []
    told = stories(office, 3)
    [old] = [each for each in told if each.all("transfer")]
    [new] = [each for each in told if "transfer" in each.one("begin")]
    [between] = [each for each in told if each not in (old, new)]
    assert old.one("transfer")["reason"] == "rf"
    assert new.one("begin")["transfer"] == old.one("begin")["call"]
    assert new.one("begin")["replaces"] == between.one("begin")["call"]
    assert new.legs == [("201", "200")]
    assert [each.kinds["answer"] for each in told] == [1, 1, 1]
    assert [each.kinds["hangup"] for each in told] == [1, 1, 1]
    call = past(office, calls=2, told=3)[0]
    assert call.shown["call_uuid"] == old.one("begin")["call"].upper()
    assert call.legs == [
        "in 200 answered",
        "in 201 answered",
        "out 100 answered, 101, rf",
        "out 200 answered",
    ]
    other.on_call = another.on_call
    assert colleague.invite("201").final().status == 480  # its place under the limit is free


# Break: hide.cfg, HIDE: without the line of `message/sipfrag`.
def test_row_32_who_follows_a_transfer_does_not_show_what_it_is_in_its_report(office):
    one, colleague = office.phones("101", "200")
    call, leg = talk(colleague, "100", one)
    assert call.refer("201").status == 202
    assert one.expect("REFER").request.address("Referred-By").user == "200"
    headers = {"Event": "refer", "Subscription-State": "terminated", "Content-Type": "message/sipfrag"}
    report = "SIP/2.0 200 OK\r\nFrom: <sip:101@pbx.test>\r\nUser-Agent: Phone 101\r\n"
    assert leg.dialog.send("NOTIFY", headers, report).wait().status == 200
    assert call.wait_transferred() == 200
    assert colleague.leaks("101") == []
    assert call.bye().status == 200


# Break: transfer.cfg, TRANSFERRED: without its last line.
def test_row_32_a_call_of_another_client_can_not_be_taken_over(office, exchange):
    with ExitStack() as stack:
        stranger = Office(exchange, stack).phone("200")
        one, colleague = office.phones("101", "200")
        call, _ = talk(one, "200", colleague)
        call_id, ours, theirs = call.dialog.id
        replaces = {"Replaces": f"{call_id};to-tag={theirs};from-tag={ours}"}
        target = f"sip:999@127.0.0.1:{colleague.transport.local[1]}"
        assert stranger.invite(target, headers=replaces).final().status == 403
        assert call.update().status == 200
        assert call.bye().status == 200
