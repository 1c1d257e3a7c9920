"""Behaviour table, "Strangers"."""

import re
import secrets

import pytest
from sip.digest import Challenge
from sip.exchange import DOMAIN
from sip.history import all_over

DATABASES = ("sqlite", "postgresql")

STALE = "ZwTkIWcE4vUuYpKxW2ObM0cMHUdvYPXK"
"A nonce in the switch's form that it has not made."


# Break: call.cfg, CALL: does not compare the domain.
def test_row_49_no_relaying_to_a_foreign_domain(office):
    caller = office.phone("200")
    assert caller.invite("sip:100@foreign.example").final().status == 403


# Break: dialog.cfg, IN_DIALOG: without SECOND_LEG, which ends in NO_DIALOG.
def test_row_49_an_invented_tag_and_route_open_no_way_to_a_phone(office):
    callee, stranger = office.phone("100"), office.phone("200", registered=False)
    host, port = callee.transport.local
    here = f"127.0.0.1:{office.exchange.port}"
    call_id = secrets.token_hex(8)
    lines = [
        f"INVITE sip:100@{host}:{port} SIP/2.0",
        f"Via: {stranger.via()}",
        f"Route: <sip:{here};lr>",
        "Max-Forwards: 70",
        "From: <sip:nobody@foreign.example>;tag=a1",
        "To: <sip:100@pbx.test>;tag=invented",
        f"Call-ID: {call_id}",
        "CSeq: 1 INVITE",
        "Content-Length: 0",
    ]
    callee.never(
        lambda message: message.call_id == call_id,
        until=lambda: (
            stranger.send_raw("\r\n".join([*lines, "", ""]).encode()),
            stranger.wait_for(lambda message: message.call_id == call_id and message.status == 481),
        ),
    )


def told(phone, answer):
    """All that an answer tells, but for what is fresh in each and for the number that the phone gave."""
    text = re.sub(
        r'nonce="[^"]+"|branch=\S+|tag=\S+|rport=\d+|CSeq: \d+|Call-ID: \S+|127.0.0.1:\d+', "", str(answer)
    )
    return text.replace(phone.user, "NUMBER")


# Break: identify.cfg, IDENTIFY: an unknown number is answered 404 after a password was shown
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
@pytest.mark.parametrize("shown", ["nothing", "a wrong password", "a stale nonce"])
def test_row_44_nothing_tells_which_numbers_exist(office, method, shown):
    office.extension("103")
    office.put_phone("103", auth_type="network")  # and no network
    office.tenant.extension(name="104", status="active")  # no password yet
    answers = []
    for number in ("100", "999", "103", "104"):
        phone = office.phone("100", registered=False, display="Someone")
        phone.user = phone.login = phone.sdp_origin = office.user(number)
        phone.password = None if shown == "nothing" else "a wrong password"
        if shown == "a stale nonce":
            phone.preauthorize = True
            kind = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
            phone._challenges[kind] = Challenge(kind, DOMAIN, STALE)
            phone.password = office.passwords["100"]
        sent = phone.start_register() if method == "REGISTER" else phone.invite("200").sent
        sent.wait()
        answers.append(told(phone, sent.responses[0 if shown == "a stale nonce" else -1]))
    assert answers[1:] == answers[:1] * 3
    assert answers[0].startswith(f"SIP/2.0 {401 if method == 'REGISTER' else 407} ")
    assert "stale=true" not in answers[0] or shown == "a stale nonce"


# Break: call.cfg, EXTENSION: take a full number as it is (`pbx.test`); CALL: no look at the domain (other);
# identify.cfg, IDENTIFY: no "Identity mismatch"
@pytest.mark.parametrize("domain", ["pbx.test", "other.test"])
def test_row_48_nobody_reaches_or_is_another_client(office, exchange, domain):
    other = exchange.api.tenant(domain=domain)
    theirs = other.extension(name="100", status="active")
    password = other.api.put(f"/extension/{theirs}/phone/", json={"password": "generate"}).json()["password"]
    number = f"{other.client['prefix']}*100"
    callee = office.phone("200", registered=False)
    callee.user = callee.login = number
    callee.domain = domain
    assert callee.register().status == 401  # with the password of our own 200
    callee.password = password
    assert callee.register().status == 200
    caller, there = office.phone("101"), f"sip:{number}@{domain}"
    assert caller.invite(there).final().status == (404 if domain == DOMAIN else 403)
    assert caller.invite(number).final().status == 404
    claimed = caller.invite("200", from_uri=there).final()  # it is 101 all the same, or nobody
    assert claimed.status == (480 if domain == DOMAIN else 407)
    callee.settle()
    assert not [message for message in callee.received if message.is_request]
    calls = all_over(office, 3 if domain == DOMAIN else 1)
    assert {each.shown["extension_id"] for each in calls} <= {*office.ids.values()}
    caller.user = number  # with its own credentials
    assert caller.register().status == 403
    (contact,) = exchange.rpc("ul.lookup", "location", f"{number}@{domain}")["result"]["Contacts"]
    assert contact["Contact"]["Address"] == callee.contact
