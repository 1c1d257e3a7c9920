"""Behaviour table, "Strangers"."""

import secrets


# fails if CALL does not compare the domain
def test_row_49_no_relaying_to_a_foreign_domain(office):
    caller = office.phone("200")
    assert caller.invite("sip:100@foreign.example").final().status == 403


# fails if IN_DIALOG relays what belongs to no dialog of ours (NO_DIALOG)
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


# fails if CHALLENGE answers an unknown number otherwise
def test_row_44_nothing_tells_which_numbers_exist(office):
    known = office.phone("100", registered=False)
    known.password = "a wrong password"
    unknown = office.phone("100", registered=False)
    unknown.user = unknown.login = office.user("999")
    told = []
    for phone in (known, unknown):
        answer = phone.register()
        challenge = answer.headers.get("WWW-Authenticate")
        told.append(
            (
                answer.status,
                answer.reason,
                challenge.partition("nonce=")[0],
                sorted(n for n, _ in answer.headers),
            )
        )
    assert told[0] == told[1]
    assert told[0][0] == 401


# fails if RESOLVE takes a full number of another client for one's own
def test_row_48_nobody_reaches_or_is_another_client(office, exchange):
    other = exchange.api.tenant(domain="pbx.test")
    theirs = other.extension(name="100", status="active")
    password = other.api.put(f"/extension/{theirs}/phone/", json={"password": "generate"}).json()["password"]
    callee = office.phone("200", registered=False)
    callee.user = callee.login = f"{other.client['prefix']}*100"
    assert callee.register().status == 401  # with the password of our own 200
    callee.password = password
    assert callee.register().status == 200
    caller = office.phone("101")
    assert caller.invite(f"{other.client['prefix']}*100").final().status == 404
