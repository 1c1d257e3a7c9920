"""Host names in messages: nobody waits for a name server, whatever it is that phones write."""

import time
from contextlib import ExitStack, contextmanager
from itertools import count

import pytest
from sip.exchange import Office, exchanging
from sip.live import end, until_listed
from sip.names import name_server

SOON = 1.0
"For a call or a question that waits for nobody, on a busy machine, in seconds."
_serial = count(1)


@pytest.fixture(scope="module")
def names():
    """A switch whose name server answers for what a test lets it answer for, and its name server."""
    with name_server() as (server, under), exchanging(under=under) as running:
        yield running, server


@pytest.fixture
def server(names):
    return names[1]


@pytest.fixture
def office(names):
    with ExitStack() as stack:
        yield Office(names[0], stack)


def silent() -> str:
    """A name whose server never answers; a fresh one, no answer of a moment ago is kept of it."""
    return f"n{next(_serial)}.silent.test"


@contextmanager
def nobody_waits(server, bystander):
    """While this is done, nobody else waits, and no name is asked for."""
    before = len(server.asked)
    yield
    began = time.monotonic()
    for _ in range(10):
        bystander.settle()
    assert time.monotonic() - began < SOON
    assert [name for name in server.asked[before:] if "silent" in name] == []


def rings(caller, callee, number="101"):
    call = caller.invite(number)
    leg = callee.expect_invite(SOON)
    leg.ring()
    call.wait(180, SOON)
    return call, leg


def talk(caller, callee, number="101"):
    call, leg = rings(caller, callee, number)
    leg.answer()
    assert call.final(SOON).status == 200
    leg.wait_ack(SOON)
    return call, leg


CONTACTS = {
    "a name": "<sip:101@{}>",
    "a name and a port": "<sip:101@{}:5062>",
    "another transport": "<sip:101@{}:5062;transport=tcp>",
    "sips": "<sips:101@{}>",
    "maddr": "<sip:101@192.0.2.1:5060;maddr={}>",
    "received": '<sip:101@192.0.2.1:5060>;received="sip:{}:5060"',
    "received, in other words": '<sip:101@192.0.2.1:5060>;expires=600; Received = "sip:{}:5060"',
    "WebSocket": "<sip:101@{}.invalid;transport=ws>",
}


# Break: register.cfg, REGISTER: without `fix_nated_register`; without the line of `received`.
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("contact", CONTACTS.values(), ids=CONTACTS)
def test_a_phone_whose_contact_is_a_name_rings_where_it_registered_from(office, server, contact, transport):
    phone = office.phone("101", registered=False, transport=transport)
    caller, bystander = office.phones("200", "201")
    with nobody_waits(server, bystander):
        assert phone.register(contact=contact.format(silent())).status == 200
        call, leg = talk(caller, phone)
        assert call.reinvite().status == 200
        assert leg.info().status == 200
        assert leg.bye().status == 200


# Break: register.cfg, REGISTER: without `fix_nated_register`.
def test_five_calls_to_three_contacts_that_no_name_server_answers_for_hold_nobody_up(office, server):
    phone = office.phone("101", registered=False)
    caller, bystander = office.phones("200", "201")
    three = ", ".join(f"<sip:101@{silent()}>" for _ in range(3))
    with nobody_waits(server, bystander):
        assert phone.register(contact=three).status == 200
        calls = [caller.invite("101") for _ in range(5)]
        bystander.settle(SOON)
        phone.wait(lambda: len(phone._legs) == 15, SOON, "15 calls")
        for call in calls:
            call.cancel()
            assert call.final().status == 487


def route_on(dialog, name):
    dialog.routes.append(f"<sip:{name};lr>")


def route_first(dialog, name):
    dialog.routes.append(f"<sip:{name}:5070;lr;transport=tcp>")
    dialog.target = f"sip:x@{name}"


def request_uri(dialog, name):
    dialog.target = f"sip:x@{name}:5060"


def maddr(dialog, name):
    dialog.target = f"{dialog.target};maddr={name}"


def other_transport(dialog, name):
    dialog.target = f"sips:{name}"


# Break: dialog.cfg, NEXT_HOP: of the R-URI.
@pytest.mark.parametrize("side", ["caller", "callee"])
@pytest.mark.parametrize("write", [route_on, route_first, request_uri, maddr, other_transport])
def test_inside_a_call_requests_go_where_the_other_side_is(office, server, write, side):
    phone, caller, bystander = office.phones("101", "200", "201")
    call, leg = talk(caller, phone)
    mine, other = (call, phone) if side == "caller" else (leg, caller)
    with nobody_waits(server, bystander):
        write(mine.dialog, silent())
        assert mine.info().status == 200
        assert mine.reinvite().status == 200
        assert mine.bye().status == 200
        assert [message.method for message in other.received if message.method == "BYE"]


# Break: dialog.cfg, IN_DIALOG: an ACK without a Route goes to its R-URI.
def test_an_ack_without_a_route_goes_to_no_name(office, server):
    phone, caller, bystander = office.phones("101", "200", "201")
    phone.on_call = lambda leg: leg.answer()
    call = caller.invite("101", acks="none")
    call.final()
    with nobody_waits(server, bystander):
        routes, call.dialog.routes = call.dialog.routes, []
        call.dialog.target = f"sip:101@{silent()}"
        ack = caller.build(
            "ACK", call.dialog.target, (call.dialog.local, call.dialog.remote), (call.call_id, 2)
        )
        caller.send_raw(ack.encode())
        bystander.settle(SOON)
        call.dialog.routes = routes


# Break: nat.cfg, TRUE_ROUTE: returns at once.
@pytest.mark.parametrize("ends", ["caller", "callee", "switch"])
def test_names_in_contact_and_record_route_of_either_side_lead_nowhere(office, server, ends):
    phone, caller, bystander = office.phones("101", "200", "201")
    evil, other = silent(), silent()
    with nobody_waits(server, bystander):
        call = caller.invite("101", {"Contact": f"<sip:x@{evil}>", "Record-Route": f"<sip:{other};lr>"})
        leg = phone.expect_invite(SOON)
        own = [f"<sip:{silent()};lr>", *leg.invite.headers.all("Record-Route")]
        leg.answer(headers={"Contact": f"<sip:x@{silent()}:99>", "Record-Route": own})
        assert call.final(SOON).status == 200
        leg.wait_ack(SOON)
        assert call.info().status == leg.info().status == 200
        assert call.reinvite().status == leg.reinvite().status == 200
        if ends == "switch":
            assert end(office, "101", until_listed(office, "101", answered=True)).status_code == 204
            call.wait_ended(SOON)
            leg.wait_ended(SOON)
        else:
            assert (call if ends == "caller" else leg).bye().status == 200


def test_the_domain_of_a_number_is_compared_and_asked_of_nobody(office, server):
    caller, bystander = office.phones("200", "201")
    with nobody_waits(server, bystander):
        assert caller.invite(f"sip:101@{silent()}").final(SOON).status == 403
        assert caller.request("OPTIONS", f"sip:{silent()}", timeout=SOON).status
