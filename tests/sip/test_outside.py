"""Behaviour table: calls to the outside; a phone of ours is the network behind the trunk, E."""

from importlib import import_module

import pytest
from parts import look, transact
from sip.history import history, past
from sip.lines import E
from sip.story import stories, story
from sip.test_to_the_bundle import assert_quiet, ring
from sqlalchemy import update

from peal.dialrules.tables import dial_rule

DATABASES = ("sqlite", "postgresql")


def put_client(office, **fields):
    path = f"/client/client_info/{office.tenant.id}"
    assert office.tenant.api.put(path, json=fields).status_code == 200


def called_by(caller, dialled, phone):
    """Which number a call reaches the network with."""
    call, [leg] = ring(caller, dialled, phone)
    call.cancel()
    call.final()
    return leg.invite.uri_user()


# Break: outside.cfg, MY_ANI: the extension's own number instead of the main one's.
def test_row_28_the_trunk_sees_the_number_of_the_main_extension(office, outside):
    line, own, company = outside.line(), outside.number(), outside.number()
    outside.show(own, "100")
    outside.show(company)
    caller = office.phone("101")
    call, [leg] = ring(caller, E, line.phone)
    assert leg.caller.user == own
    assert leg.invite.asserted_identity.user == own
    assert leg.invite.uri_user() == E
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    assert leg.reinvite().status == 200
    assert call.reinvite().status == 200
    assert call.bye().status == 200
    assert line.phone.leaks("101") == []
    told = story(office)
    assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
    assert told.numbers("begin", "from", "from_main", "to", "dialled") == ("101", "100", E, E)
    assert told.legs == [(f"trunk:{line.id}", "200")]
    past_call = history(office)
    assert past_call.call == ("out of 100", f"100 calls {E}", "answered", "caller_bye")
    assert past_call.legs == ["out 100 answered, 101"]
    assert (past_call.shown["bridged_username"], past_call.shown["cdr"][0]["ani_number"]) == (E, own)


# Break: outside.cfg, MY_ANI: without the line of `$avp(client_ani)`.
def test_row_28_without_a_number_of_its_own_the_trunk_sees_the_clients(office, outside):
    line, company, of_a_member = outside.line(), outside.number(), outside.number()
    outside.show(company)
    outside.show(of_a_member, "101")
    caller = office.phone("101")
    call, [leg] = ring(caller, E, line.phone)
    assert (leg.caller.user, leg.invite.asserted_identity.user) == (company, company)
    call.cancel()
    assert call.final().status == 487
    leg.wait_cancelled()
    told = story(office)
    assert told.kinds == {"begin": 1, "hangup": 1}
    assert told.one("hangup")["code"] == "487"
    assert told.legs == [(f"trunk:{line.id}", "487")]
    assert history(office).call == ("out of 100", f"100 calls {E}", "not answered", "caller_cancel")
    assert history(office).shown["cdr"][0]["ani_number"] == company


# Break: outside.cfg, MY_ANI: without the line of `No number to show`.
def test_row_28_without_any_number_to_show_the_call_is_refused(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number(), "101")  # of an associated one: its calls are the main one's
    assert caller.invite(E).final().status == 403
    assert_quiet(line.phone)
    told = story(office)
    assert told.kinds == {"refused": 1}
    assert told.one("refused")["code"] == "403"
    assert told.numbers("refused", "from", "from_main", "to", "dialled") == ("101", "100", E, E)
    assert history(office).call == ("out of 100", f"100 calls {E}", "failed", "internal_cancel")
    assert history(office).legs == ["out 100 failed, 101"]


# Break: transfer.cfg, REFER: without the line of `$dlg_var(trunk)`.
def test_row_33_a_transfer_towards_a_trunk_is_refused_and_the_call_goes_on(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    call, [leg] = ring(caller, E, line.phone)
    leg.answer()
    assert call.final().status == 200
    assert call.refer("200").status == 403
    assert leg.refer("79990000000").status == 403
    assert [m.method for m in line.phone.received if m.is_request and m.method == "REFER"] == []
    assert call.reinvite(hold=True).status == 200
    assert leg.info().status == 200
    assert leg.bye().status == 200
    assert story(office).kinds == {"begin": 1, "answer": 1, "hangup": 1}


RULES = [
    (r"^8(\d{10})$", r"7\1"),
    ("^7916", "0"),  # rewrites nothing that a rule before has made
    ("^810", ""),
    (r"^8(.*)$", r"9\1"),
    (r"^55(\d+)$", r"5\1"),
]


# Break: outside.cfg, RULE: without the line of `the last that is looked at`.
@pytest.mark.parametrize(
    ("dialled", "called"),
    [("89161234567", E), ("8495", "9495"), ("79031234567", "79031234567"), ("556", "56")],
    ids=["the first that matches", "a later one", "none", "short"],
)
def test_row_35_the_first_rule_that_matches_rewrites_the_number(office, outside, dialled, called):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    office.put_extension("100", dial_rule_id=outside.rules(*RULES))
    outside.settle()
    assert called_by(caller, dialled, line.phone) == called


# Break: outside.cfg, DIAL_RULES: the client's list first.
def test_row_35_the_extensions_list_comes_first_then_the_clients(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    first, second = outside.rules(("^8(.*)$", r"9\1")), outside.rules(("^9(.*)$", r"7\1"), ("^8", ""))
    office.put_extension("100", dial_rule_id=first)
    put_client(office, dial_rule_id=second)
    outside.settle()
    assert called_by(caller, "8123", line.phone) == "7123"
    path = f"/client/@me/dial_rule/{second}"
    office.tenant.api.put(path, json={"dial_rules": [{"match_exp": "^9", "repl_exp": "6"}]})
    outside.settle()
    assert called_by(caller, "8123", line.phone) == "6"
    office.put_extension("101", dial_rule_limit=0)
    outside.settle()
    assert called_by(caller, "8123", line.phone) == "8123"


# Break: call.cfg, RESOLVE: without the second EXTENSION.
def test_row_35_what_a_rule_makes_of_a_number_may_be_an_extension_and_extensions_know_no_rules(
    office, outside
):
    caller, callee = office.phones("101", "200")
    office.put_extension("100", dial_rule_id=outside.rules((r"^\*5$", "200"), ("^2", "")))
    outside.settle()
    for number in ("*5", "200"):
        call, [leg] = ring(caller, number, callee)
        leg.answer()
        assert call.final().asserted_identity.user == "200"
        assert call.bye().status == 200
    assert {each.numbers("begin", "to", "dialled") for each in stories(office, 2)} == {
        ("200", "5"),
        ("200", "200"),
    }


# Break: outside.cfg, RULE: only an empty number is refused.
@pytest.mark.parametrize("made", ["a'b", 'a"b', "a|b", "1 2"])
def test_row_35_what_a_rule_makes_that_is_no_number_at_all_is_refused_as_well(office, outside, made):
    outside.line()
    outside.show(outside.number())
    caller, callee = office.phones("101", "200")
    office.put_extension("100", dial_rule_id=outside.rules(("^8$", made)))
    outside.settle()
    assert caller.invite("8").final().status == 403
    call, [leg] = ring(caller, "200", callee)  # what is not known yet can still be asked for
    leg.decline(480)
    assert call.final().status == 480
    [told] = [each for each in stories(office, 2) if each.all("refused")]
    assert told.numbers("refused", "from", "to", "to_main", "dialled") == ("101", "8", "8", "8")


# Break: outside.cfg, RULE: without `route(FORBIDDEN)`; BARE: `return` at its begin.
@pytest.mark.parametrize("dialled", ["8809123", "+8809123", "008809123", "+008809123"])
def test_row_35_a_rule_that_refuses_a_number_refuses_each_of_its_equal_forms(office, outside, dialled):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    put_client(office, dial_rule_id=outside.rules(("^8809", "")))
    outside.settle()
    assert caller.invite(dialled).final().status == 403
    assert_quiet(line.phone)


def test_row_35_the_prefix_for_calls_abroad_is_the_clients_own(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    put_client(office, dial_rule_id=outside.rules(("^44", "")), international_prefix="810")
    outside.settle()
    assert caller.invite("81044123").final().status == 403
    assert called_by(caller, "0044123", line.phone) == "0044123"


def test_row_35_a_rule_that_rewrites_sees_the_number_as_it_was_dialled(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    office.put_extension("100", dial_rule_id=outside.rules(("^44", "99")))
    outside.settle()
    assert called_by(caller, "+44123", line.phone) == "+44123"


# Break: outside.cfg, RULE: a rule without an expression is passed over.
def test_row_35_a_rule_from_before_that_costs_too_much_refuses(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    rules = outside.rules(("^1", "2"), ("^3", "4"))
    dear = [{"match_exp": "^1", "repl_exp": "2"}, {"match_exp": ".{0,32}" * 16 + "x$", "repl_exp": "5"}]
    database = office.exchange.api.database
    look(database, update(dial_rule).where(dial_rule.c.id == rules).values(dial_rules=dear))
    migration = import_module("peal.db.migrations.versions.0007_dial_rules")
    transact(database, lambda work: work.connection.run_sync(migration.bound_rules))
    office.put_extension("100", dial_rule_id=rules)
    outside.settle()
    assert called_by(caller, "123", line.phone) == "2"
    assert caller.invite("777").final().status == 403
    refused = f"dial rules {rules} of client {office.tenant.id}: rule 1 costs too much to run and refuses 777"
    assert refused in office.exchange.log.read_text()


def test_a_number_outside_has_at_most_32_characters(office, outside):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    outside.settle()
    assert called_by(caller, "1" * 32, line.phone) == "1" * 32
    assert caller.invite("1" * 33).final().status == 404


# Break: outside.cfg, RULE: an empty number is tried.
@pytest.mark.parametrize("where", ["extension", "client"])
def test_row_35_a_refused_number_is_403_and_an_event(office, outside, where):
    line, caller = outside.line(), office.phone("101")
    outside.show(outside.number())
    rules = outside.rules(("^810", ""))
    if where == "client":
        put_client(office, dial_rule_id=rules)
    else:
        office.put_extension("100", dial_rule_id=rules)
    outside.settle()
    assert caller.invite("8101234").final().status == 403
    assert_quiet(line.phone)
    told = story(office)
    assert told.kinds == {"refused": 1}
    assert told.one("refused")["code"] == "403"
    assert told.numbers("refused", "from", "from_main", "dialled") == ("101", "100", "8101234")
    assert history(office).call == ("out of 100", "100 calls 8101234", "failed", "internal_cancel")
    assert history(office).legs == ["out 100 failed, 101"]


# Break: outside.cfg, OUTSIDE: without NO_NUMBER.
@pytest.mark.parametrize("trunks", [0, 1])
def test_row_36_a_number_that_exists_nowhere_is_404_and_an_event(office, outside, trunks):
    caller, lines = office.phone("101"), [outside.line() for _ in range(trunks)]
    outside.show(outside.number())
    numbers = ["999", "*5", "abc", "ffffffff*100"]
    for dialled in numbers:
        assert caller.invite(dialled).final().status == 404
    assert_quiet(*(line.phone for line in lines))
    told = stories(office, len(numbers))
    assert [each.kinds for each in told] == [{"refused": 1}] * len(numbers)
    assert sorted(each.one("refused")["dialled"] for each in told) == sorted(numbers)
    assert {each.one("refused")["code"] for each in told} == {"404"}
    for call in past(office, len(numbers)):
        assert (call.call[0], call.call[2:]) == ("out of 100", ("failed", "internal_cancel"))
        assert call.legs == ["out 100 failed, 101"]


# Break: outside.cfg, MY_TRUNKS: without NO_NUMBER.
def test_row_36_without_a_trunk_a_number_outside_is_404_and_an_event(office, outside):
    caller, foreign = office.phone("101"), outside.line(of=office.exchange.api.tenant().id)
    outside.show(outside.number())
    assert caller.invite(E).final().status == 404
    assert_quiet(foreign.phone)
    assert story(office).one("refused")["code"] == "404"
    assert history(office).call == ("out of 100", f"100 calls {E}", "failed", "internal_cancel")


# Break: call.cfg, REACH: the type is not looked at.
@pytest.mark.parametrize("kind", ["queue", "ivr", "fax"])
def test_row_36_an_extension_without_phones_is_480_and_an_event(office, kind):
    caller = office.phone("101")
    office.ids["300"] = office.tenant.extension(name="300", type=kind, status="active")
    office.types["300"] = kind
    assert caller.invite("300").final().status == 480
    told = story(office)
    assert told.kinds == {"refused": 1}
    assert told.one("refused")["code"] == "480"
    assert told.numbers("refused", "from_main", "to", "dialled") == ("100", "300", "300")
    assert history(office).call == ("in of 300", "100 calls 300", "failed", "internal_cancel")
    assert history(office).legs == ["out 100 failed, 101"]
    assert history(office).shown["extension_type"] == kind


# Break: identify.cfg, IDENTIFY: without the line of `$avp(emergency)`; call.cfg, RESOLVE: the same.
@pytest.mark.parametrize("number", ["112", "911"])
@pytest.mark.parametrize("blocked", [False, True])
def test_row_37_an_emergency_call_goes_through_whatever_stands_in_its_way(office, outside, number, blocked):
    line, here, of_main = outside.line(), outside.number(), outside.number()
    outside.show(of_main, "100")
    outside.show(here, "101")
    main, caller = office.phones("100", "101")
    office.put_phone("100", incoming_limit=1)
    refused = {"dial_rule_id": outside.rules((".", ""))}
    office.put_extension("100", **refused | ({"status": "blocked"} if blocked else {}))
    outside.settle()
    for phone, shown in ((caller, here), (main, of_main)):
        call, [leg] = ring(phone, number, line.phone)
        assert (leg.invite.uri_user(), leg.caller.user) == (number, shown)
        leg.answer()
        assert call.final().status == 200
        assert call.bye().status == 200
        assert (
            f"alarm: emergency call of {phone.user}@pbx.test to {number}" in office.exchange.log.read_text()
        )
    for told in stories(office, 2):
        assert told.kinds == {"begin": 1, "answer": 1, "hangup": 1}
        assert {event["emergency"] for event in told.events if event["type"] not in ("ring", "leg")} == {"1"}
    calls = past(office, 2)
    assert [each.call for each in calls] == [
        ("out of 100", f"100 calls {number}", "answered", "caller_bye") for _ in calls
    ]
    assert [each.legs for each in calls] == [["out 100 answered, 101"], ["out 100 answered"]]
    assert [each.shown["ext_number_reg"] for each in calls] == [here, of_main]


# Break: outside.cfg, MY_ANI: refused without a number, emergency or not.
@pytest.mark.parametrize(
    ("own", "login", "shown"),
    [("74957654321", None, "74957654321"), (None, "line7", "line7"), (None, None, "anonymous")],
    ids=["number", "login", "nothing"],
)
def test_row_37_with_no_number_known_it_goes_with_the_trunks_own(office, outside, own, login, shown):
    secret = {"login": login, "password": "secret"} if login else {}
    line, caller = outside.line(number=own, **secret), office.phone("200")
    call, [leg] = ring(caller, "112", line.phone)
    assert leg.caller.user == shown
    leg.answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: extensions/service.py, create: `emergency` is not looked at.
def test_row_37_making_an_extension_with_such_a_number_is_a_400(office):
    api, prefix = office.tenant.api, office.tenant.client["prefix"]
    for name in ("112", f"{prefix}*911"):
        answer = api.post("/client/@me/extension/", json={"name": name, "type": "phone"})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "name")
