"""`auth_type` and the networks of a phone, or of its client: who may register and call from where."""

import pytest
from sip.exchange import DOMAIN
from sip.test_changes import in_force

DATABASES = ("sqlite", "postgresql")

HERE, ELSEWHERE = "127.0.0.2", "127.0.0.3"


def networks(office, *cidrs):
    """Make a permission; return its id."""
    body = {"name": "offices", "networks": list(cidrs)}
    made = office.tenant.api.post("/client/@me/sip_network_permission/", json=body)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def change_networks(office, permission, *cidrs):
    path = f"/client/@me/sip_network_permission/{permission}"
    assert office.tenant.api.put(path, json={"networks": list(cidrs)}).status_code == 200


def stranger(office, number, where=HERE, **options):
    """A phone that has not registered; its extension's row is not known to the switch yet."""
    return office.phone(number, registered=False, bind=where, **options)


def without_password(office, number, where=HERE):
    phone = stranger(office, number, where)
    phone.password = None
    return phone


# Break: identify.cfg, MAY_COME: a `network` proves itself by password, too
def test_by_network_a_phone_registers_and_calls_without_a_password(office):
    office.put_phone("101", auth_type="network", sip_network_permission_id=networks(office, "127.0.0.2/32"))
    phone, callee = without_password(office, "101"), office.phone("200")
    assert phone.register().status == 200
    call = phone.invite("200")
    callee.expect_invite().answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: identify.cfg, MAY_COME: no question for the subnet
def test_by_network_a_phone_from_elsewhere_is_challenged_for_ever(office):
    office.put_phone("101", auth_type="network", sip_network_permission_id=networks(office, "127.0.0.2/32"))
    office.phones("200")
    assert without_password(office, "101", ELSEWHERE).register().status == 401
    knows = stranger(office, "101", ELSEWHERE)
    assert knows.register().status == 401  # the password is of no use
    assert knows.invite("200").final().status == 407
    assert not office.registered("101")


# Break: identify.cfg, MAY_COME: `both` is taken for `digest`
@pytest.mark.parametrize("where", [HERE, ELSEWHERE])
def test_by_both_a_phone_needs_its_password_and_its_network(office, where):
    office.put_phone("101", auth_type="both", sip_network_permission_id=networks(office, "127.0.0.2/32"))
    office.phones("200")
    assert without_password(office, "101", where).register().status == 401
    wrong = stranger(office, "101", where)
    wrong.password = "a wrong password"
    assert wrong.register().status == 401
    knows = stranger(office, "101", where)
    assert knows.register().status == (200 if where == HERE else 401)
    assert knows.invite("999").final().status == (404 if where == HERE else 407)


def test_by_digest_no_address_is_asked_for(office):
    office.put_phone("101", auth_type="digest", sip_network_permission_id=networks(office, "127.0.0.2/32"))
    assert stranger(office, "101", ELSEWHERE).register().status == 200


@pytest.mark.parametrize("kind", ["network", "both"])
def test_without_any_network_nobody_comes_in(office, kind):
    office.put_phone("101", auth_type=kind)
    assert stranger(office, "101").register().status == 401


# Break: 0002_switch.py, _networks: the client's permission is left out
def test_where_the_phone_names_no_networks_those_of_its_client_hold(office):
    permission = networks(office, "10.0.0.0/8", "2001:db8::/32", "127.0.0.2/31")
    path = f"/client/client_info/{office.tenant.id}/"
    answer = office.tenant.api.put(path, json={"sip_network_permission_id": permission})
    assert answer.status_code == 200, answer.text
    office.put_phone("101", auth_type="network")
    office.put_phone("102", auth_type="network", sip_network_permission_id=networks(office, "127.0.0.9/32"))
    assert without_password(office, "101", HERE).register().status == 200
    assert without_password(office, "101", ELSEWHERE).register().status == 200
    assert without_password(office, "101", "127.0.0.4").register().status == 401
    assert without_password(office, "102", HERE).register().status == 401


# Break: rows.cfg, CHANGED: no DROP_STRANGERS
def test_a_phone_that_may_not_come_from_there_any_more_is_dropped_and_the_others_stay(office):
    permission = networks(office, "127.0.0.0/8")
    office.put_phone("101", auth_type="both", sip_network_permission_id=permission)
    here, gone = stranger(office, "101", HERE), stranger(office, "101", ELSEWHERE)
    for phone in (here, gone):
        assert phone.register().status == 200
    change_networks(office, permission, "127.0.0.2/32")
    in_force(lambda: registered_at(office, "101"), {here.contact})
    assert gone.register().status == 401
    assert here.register().status == 200


# Break: rows.cfg, CHANGED: `network` is not compared with what came before
def test_who_never_showed_a_password_is_dropped_when_one_is_asked_for(office):
    permission = networks(office, "127.0.0.2/32")
    office.put_phone("101", auth_type="network", sip_network_permission_id=permission)
    phone = without_password(office, "101")
    assert phone.register().status == 200
    office.put_phone("101", auth_type="both")
    office.until_unregistered("101")
    assert phone.register().status == 401


def test_a_phone_that_has_shown_its_password_stays_when_its_network_is_asked_for_too(office):
    permission = networks(office, "127.0.0.2/32")
    here, gone = stranger(office, "101", HERE), stranger(office, "101", ELSEWHERE)
    for phone in (here, gone):
        assert phone.register().status == 200
    office.put_phone("101", auth_type="both", sip_network_permission_id=permission)
    in_force(lambda: registered_at(office, "101"), {here.contact})


def registered_at(office, number):
    """The Contacts of an extension, by the switch's own word."""
    found = office.exchange.rpc("ul.lookup", "location", f"{office.user(number)}@{DOMAIN}")
    return {each["Contact"]["Address"] for each in found.get("result", {"Contacts": []})["Contacts"]}
