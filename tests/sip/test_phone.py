"""The phone is tried before it tries others: two phones face to face, and with a plain proxy between."""

import secrets
import socket
import subprocess
from base64 import b64encode
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from parts import free_port
from sip.digest import Challenge
from sip.leaks import leaks
from sip.message import Address, Headers, Message, address, request, response
from sip.phone import Phone
from sip.policy import follow_refer, leave, refuse, report_refer
from sip.record import NothingCame

CONFIG = Path(__file__).with_name("plain_proxy.cfg")
FAST = 0.02
"A T1 that ends after 64 times as much: in 1.3 s."


def certificate(folder: Path, name: str = "pbx.test") -> tuple[Path, Path]:
    chain, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-days", "1", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return chain, key


class PlainProxy:
    """A Kamailio on free ports: UDP and TCP on one, TLS on the other, both on IPv4 and IPv6."""

    def __init__(self, folder: Path, algorithm: str):
        self.port, self.tls_port = free_port(), free_port()
        certificate(folder)
        hosts = ("127.0.0.1", "[::1]")
        listen = [f"listen={kind}:{host}:{self.port}" for kind in ("udp", "tcp") for host in hosts]
        listen += [f"listen=tls:{host}:{self.tls_port}" for host in hosts]
        text = CONFIG.read_text().replace("@FOLDER@", str(folder)).replace("@ALGORITHM@", algorithm)
        (folder / "kamailio.cfg").write_text(text.replace("@LISTEN@", "\n".join(listen)))
        command = ["kamailio", "-f", "kamailio.cfg", "-DD", "-E", "-w", folder, "-Y", folder]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "-P", folder / "pid", "-m", "64", "-M", "8"], cwd=folder, stdout=log, stderr=log
            )
        self._wait_ready()

    def _wait_ready(self):
        try:
            with self.phone("probe", t1=10 / 64, patience=10) as probe:
                probe.settle()  # asks again and again until it is answered
        except NothingCame:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(self.log.read_text()) from None

    def phone(self, user: str, transport: str = "udp", bind: str = "127.0.0.1", **options) -> Phone:
        host = "::1" if ":" in bind else "127.0.0.1"
        port = self.tls_port if transport == "tls" else self.port
        return Phone(user, "secret", proxy=(host, port), transport=transport, bind=bind, **options)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0


@pytest.fixture(scope="module", params=["MD5", "SHA-256"])
def proxy(request, tmp_path_factory):
    running = PlainProxy(tmp_path_factory.mktemp("proxy"), request.param)
    yield running
    running.stop()


@pytest.fixture
def phones():
    """Makes phones that are closed with the test."""
    with ExitStack() as stack:
        yield lambda user, **options: stack.enter_context(Phone(user, "secret", **options))


def connected(phones, **options):
    """A caller and the callee's leg, talking."""
    caller, callee = phones("200", **options), phones("100", **options)
    call = caller.invite(callee.contact)
    leg = callee.expect_invite()
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    return call, leg


def test_headers_are_found_by_any_name_and_split_into_their_values():
    raw = (
        b"INVITE sip:100@pbx.test SIP/2.0\r\nv: SIP/2.0/UDP h:1;branch=z9hG4bKa, SIP/2.0/TCP i:2;branch=b\r\n"
        b'f: "Ann, \\"A\\"" <sip:200@pbx.test;x=y>;tag=t1\r\nTo: <sip:100@pbx.test>\r\ni: c1\r\n'
        b'cseq: 7 INVITE\r\nm: "a,b" <sip:200@h;p=1,2>,\r\n <sip:201@h>\r\n'
        b"P-Asserted-Identity: <sip:100@pbx.test>\r\nl: 2\r\n\r\nhi"
    )
    message = Message.parse(raw)
    assert message.headers.all("Contact") == ['"a,b" <sip:200@h;p=1,2>', "<sip:201@h>"]
    assert len(message.headers.all("via")) == 2
    assert (message.branch, message.cseq, message.call_id) == ("z9hG4bKa", 7, "c1")
    assert (message.display(), message.uri_user("From"), message.tag("From")) == ('Ann, "A"', "200", "t1")
    assert (message.uri_user(), message.asserted_identity.user, message.body) == ("100", "100", "hi")
    assert Address.parse(address("sip:a@b", 'x "y" \\', "t")) == Address('x "y" \\', "sip:a@b", {"tag": "t"})


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_credentials_are_those_of_rfc_7616(algorithm, expected):
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    value = (
        f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, nonce="{nonce}"'
    )
    challenge = Challenge.parse("Authorization", value)
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    answer = challenge.answer("GET", "/dir/index.html", "Mufasa", "Circle of Life", cnonce)
    assert f'response="{expected}"' in answer
    assert "nc=00000001" in answer


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("bind", ["127.0.0.77", "::1"])
def test_two_phones_talk(phones, tmp_path, transport, bind):
    shown = certificate(tmp_path) if transport == "tls" else None
    caller = phones("200", transport=transport, bind=bind, display="Ann", certificate=shown)
    callee = phones("100", transport=transport, bind=bind, certificate=shown)
    call = caller.invite(callee.contact)
    leg = callee.expect_invite()
    assert (leg.caller.display, leg.caller.user) == ("Ann", "200")
    call.wait(100)
    leg.ring()
    call.wait(180)
    leg.answer()
    assert "m=audio" in call.final().body
    assert leg.wait_ack().method == "ACK"
    for end in (call, leg):
        assert [end.info().status, end.options().status, end.update().status] == [200, 200, 200]
    assert "a=recvonly" in call.reinvite(hold=True).body
    assert "a=sendrecv" in leg.reinvite().body
    callee.wait_for(lambda message: message.method == "ACK" and message.cseq > 1)
    assert leg.bye().status == 200
    assert call.wait_ended().method == "BYE"
    assert {message.peer[0] for message in callee.received} == {bind}


def test_a_phone_speaks_as_it_is_told(phones):
    caller, callee = phones("200"), phones("100")
    forged = {"P-Asserted-Identity": "<sip:1@x>", "Contact": "<sip:2@x>", "Subject": ["a", "b"]}
    caller.invite(callee.contact, forged, sdp="", from_user="300", from_display="Eve")
    invite = callee.expect_invite().invite
    assert (invite.display(), invite.uri_user("From"), invite.uri_user("Contact")) == ("Eve", "300", "2")
    assert (invite.asserted_identity.user, invite.headers.all("subject"), invite.body) == (
        "1",
        ["a", "b"],
        "",
    )


def test_the_session_names_the_origin_and_address_that_are_set(phones):
    caller, callee = phones("200"), phones("100")
    caller.sdp_origin, caller.media = "desk", ("192.0.2.7", 4002)
    caller.invite(callee.contact)
    body = callee.expect_invite().invite.body
    assert "o=desk 1 1 IN IP4 192.0.2.7" in body
    assert "m=audio 4002 " in body


def test_a_late_offer_is_answered_in_the_ack(phones):
    caller, callee = phones("200"), phones("100")
    call = caller.invite(callee.contact, sdp="")
    leg = callee.expect_invite()
    leg.answer()
    assert "m=audio" in leg.wait_ack().body
    assert "m=audio" in call.final().body


def test_a_caller_gives_up_and_the_phone_sees_why(phones):
    caller, callee = phones("200"), phones("100")
    call = caller.invite(callee.contact)
    leg = callee.expect_invite()
    leg.ring()
    assert call.cancel({"Reason": 'SIP;cause=200;text="elsewhere"'}).status == 200
    assert leg.wait_cancelled().headers["Reason"].startswith("SIP;cause=200")
    assert call.final().status == 487
    leg.wait_ack()
    assert call.ended
    assert leg.ended


def test_a_refusal_reaches_the_caller_and_is_acknowledged(phones):
    caller, callee = phones("200"), phones("100")
    for refuse_it, status in (
        (lambda leg: leg.decline(603), 603),
        (lambda leg: leg.redirect("sip:300@x"), 302),
    ):
        call = caller.invite(callee.contact)
        leg = callee.expect_invite()
        refuse_it(leg)
        assert call.final().status == status
        leg.wait_ack()
    assert call.final().uri_user("Contact") == "300"
    with pytest.raises(AssertionError, match="ended with 302"):
        call.wait(180)


def test_a_challenge_is_answered_once_and_a_stale_nonce_again(phones):
    server, client = phones("server"), phones("200")
    client.proxy = server.transport.local
    server.policies["REGISTER"] = leave
    register = client.start_register()
    for nonce, stale in (("n1", "false"), ("n2", "true"), ("n3", "false")):
        asked = server.expect("REGISTER")
        asked.reply(401, {"WWW-Authenticate": f'Digest realm="r", nonce="{nonce}", stale={stale}'})
    assert register.wait().status == 401
    sent = [message.headers.get("Authorization") for message in client.sent]
    assert [f'nonce="n{n}"' in value for n, value in enumerate(sent)] == [False, True, True]
    assert len({message.cseq for message in client.sent}) == len({m.branch for m in client.sent}) == 3


def test_a_phone_that_preauthorizes_counts_the_uses_of_a_nonce(phones):
    server, client = phones("server"), phones("200", preauthorize=True)
    client.proxy = server.transport.local
    server.policies["REGISTER"] = leave
    challenge = {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}
    register = client.start_register()
    server.expect("REGISTER").reply(401, challenge)
    server.expect("REGISTER").reply(200)
    register.wait()
    client.request("MESSAGE")
    proof = server.expect("MESSAGE").request.headers["Authorization"]
    assert 'nonce="n"' in proof
    assert "nc=00000002" in proof


def test_progress_with_media_is_repeated_until_its_prack(phones):
    caller, callee = phones("200", t1=FAST), phones("100", t1=FAST)
    call = caller.invite(callee.contact, {"Supported": "100rel"})
    call.auto_prack = False
    leg = callee.expect_invite()
    leg.ring(183, sdp=None, reliable=True)
    progress = call.wait(183)
    assert caller.wait_for(response(183), times=3) is not progress
    assert call.prack(progress).status == 200
    leg.wait_pracked()
    before = len([each for each in callee.sent if each.status == 183])
    leg.ring(180, reliable=True)
    caller.wait_for(response(180), times=5)
    assert len([each for each in callee.sent if each.status == 183]) == before
    assert call.prack(progress).status == 481
    leg.answer()
    assert call.final().status == 200


def test_a_phone_pracks_by_itself_once_for_each_response(phones):
    caller, callee = phones("200"), phones("100", t1=FAST)
    callee.policies["PRACK"] = leave
    caller.invite(callee.contact, {"Supported": "100rel"})
    leg = callee.expect_invite()
    leg.ring(180, reliable=True)
    caller.wait_for(response(180), times=3)
    leg.ring(183, reliable=True)
    assert [callee.expect("PRACK").request.headers["RAck"] for _ in range(2)] == ["1 1 INVITE", "2 1 INVITE"]


def test_a_dead_phone_is_silent_and_what_is_repeated_later_rings_once(phones):
    caller, callee = phones("200", t1=FAST), phones("100")
    callee.dead = True
    call = caller.invite(callee.contact)
    callee.wait_for(request("INVITE"), times=3)
    with pytest.raises(NothingCame):
        callee.expect_invite(timeout=0)
    assert callee.sent == []
    callee.dead = False
    leg = callee.expect_invite()
    leg.answer()
    call.final()
    leg.wait_ack()
    with pytest.raises(NothingCame):
        callee.expect_invite(timeout=0)


def test_a_phone_that_dies_in_a_call_says_nothing_more(phones):
    call, leg = connected(phones)
    phone, said = leg.phone, len(leg.phone.sent)
    phone.dead = True
    leg.dialog.send("BYE")
    info = call.dialog.send("INFO")
    phone.wait_for(request("INFO"))
    assert (len(phone.sent), info.final) == (said, None)
    assert not call.ended


def test_a_repeated_request_rings_once_and_is_told_the_same_again(phones):
    caller, callee = phones("200", t1=FAST), phones("100", trying=False)
    call = caller.invite(callee.contact)
    again = callee.wait_for(request("INVITE"), times=3)
    leg = callee.expect_invite()
    assert again.duplicate
    assert not leg.invite.duplicate
    with pytest.raises(NothingCame):
        callee.expect_invite(timeout=0)
    leg.decline(486)
    call.final()
    leg.incoming.came_again()
    caller.wait_for(response(486), times=2)
    assert [each.status for each in call.responses] == [486]


def test_a_challenge_that_comes_twice_is_answered_once(phones):
    caller, callee = phones("200"), phones("100")
    call = caller.invite(callee.contact)
    challenged = callee.expect_invite()
    challenged.decline(407, {"Proxy-Authenticate": 'Digest realm="r", nonce="n"'})
    challenged.incoming.came_again()
    caller.wait_for(response(407), times=2)
    callee.expect_invite().answer()
    assert call.final().status == 200
    assert [each.status for each in call.responses if each.status > 100] == [407, 200]


def test_an_answer_is_repeated_until_its_ack_comes(phones):
    caller, callee = phones("200"), phones("100", t1=FAST)
    call = caller.invite(callee.contact, acks="none")
    leg = callee.expect_invite()
    leg.answer()
    caller.wait_for(response(200), times=4)
    assert len([each for each in call.responses if each.status == 200]) == 1
    call.dialog.ack()
    assert leg.wait_ack().method == "ACK"
    before = len(callee.sent)
    other = caller.invite(callee.contact, acks="none")
    callee.expect_invite().answer()
    caller.wait_for(lambda each: each.status == 200 and each.call_id == other.call_id, times=5)
    assert {each.call_id for each in callee.sent[before:]} == {other.call_id}


def test_who_answered_does_not_hang_up_before_the_ack(phones):
    caller, callee = phones("200"), phones("100")
    call = caller.invite(callee.contact, acks="none")
    leg = callee.expect_invite()
    leg.answer()
    call.final()
    callee.patience = 0
    with pytest.raises(NothingCame, match="the ACK of INVITE"):
        leg.bye()
    assert not leg.ended


def test_a_phone_whose_answer_nobody_acknowledges_hangs_up(phones):
    caller, callee = phones("200"), phones("100", t1=0.005)
    call = caller.invite(callee.contact, acks="none")
    callee.expect_invite().answer()
    assert call.wait_ended().method == "BYE"
    assert call.final().status == 200


def test_a_refusal_is_repeated_until_its_ack_comes(phones):
    caller, callee = phones("200"), phones("100", t1=FAST)
    call = caller.invite(callee.contact)
    leg = callee.expect_invite()
    call.wait(100)
    caller.dead = True
    leg.decline(486)
    caller.wait_for(response(486), times=3)
    caller.dead = False
    leg.wait_ack()
    assert call.final().status == 486


def test_requests_outside_their_dialog_get_481(phones):
    call, leg = connected(phones)
    call.bye()
    assert leg.ended
    assert leg.dialog.send("OPTIONS").wait().status == 481
    callee = leg.phone
    assert call.phone.request("BYE", callee.contact).status == 481
    assert call.phone.request("OPTIONS", callee.contact).status == 200


def test_a_policy_can_be_replaced_and_a_request_be_left_to_the_test(phones):
    call, leg = connected(phones)
    leg.phone.policies |= {"INFO": refuse(415), "UPDATE": leave}
    assert call.info().status == 415
    update = call.dialog.send("UPDATE")
    leg.phone.expect("UPDATE").reply(491)
    assert update.wait().status == 491


def test_a_phone_that_answers_by_itself_needs_no_test(phones):
    caller, callee = phones("200"), phones("100")
    callee.on_call = lambda leg: leg.answer()
    assert caller.invite(callee.contact, wait=True).answers


def test_a_policy_that_fails_or_waits_fails_the_test():
    for wrong in (lambda leg: leg.nonsense(), lambda leg: leg.dialog.options()):
        with Phone("200") as caller:
            callee = Phone("100")
            callee.on_call = wrong
            caller.invite(callee.contact)
            with pytest.raises(RuntimeError, match="the thread of 100 failed"):
                callee.wait_for(request("NOTHING"))
            with pytest.raises(RuntimeError, match="the thread of 100 failed"):
                callee.close()


def test_a_blind_transfer_is_followed_and_reported(phones):
    call, leg = connected(phones)
    target = phones("201")
    target.on_call = lambda leg: leg.answer()
    call.phone.policies["REFER"] = follow_refer
    assert leg.refer(target.contact).status == 202
    assert leg.wait_transferred() == 200
    invite = target.expect_invite().invite
    assert invite.address("Referred-By").user == "100"
    assert call.phone.wait_followed().final().status == 200


def test_a_transfer_can_fail_or_only_be_claimed(phones):
    call, leg = connected(phones)
    target = phones("201")
    target.on_call = lambda leg: leg.decline(486)
    call.phone.policies["REFER"] = follow_refer
    leg.refer(target.contact, referred_by="")
    assert leg.wait_transferred() == 486
    assert "Referred-By" not in target.expect_invite().invite.headers
    leg.phone.policies["REFER"] = report_refer
    call.refer(target.contact)
    assert call.wait_transferred() == 200


def test_an_attended_transfer_replaces_the_other_call(phones):
    first, leg = connected(phones)
    target = phones("201")
    consult = leg.phone.invite(target.contact)
    consulted = target.expect_invite()
    consulted.answer()
    consult.final()
    first.phone.policies["REFER"] = follow_refer
    leg.refer(target.contact, replaces=consult)
    taken = target.expect_invite()
    assert taken.replaced is consulted.dialog
    taken.answer()
    assert leg.wait_transferred() == 200
    assert consult.wait_ended().method == "BYE"
    wrong = first.phone.invite(target.contact, {"Replaces": "none;to-tag=a;from-tag=b"})
    assert wrong.final().status == 481


def test_a_leak_is_found_in_the_open_and_encoded():
    def message(*fields, body=""):
        same = [("CSeq", "101 INVITE"), ("Content-Length", "101")]
        return Message.request("INVITE", "sip:100@pbx.test", [*same, *fields], body)

    packed = b64encode(b"sip:101@pbx.test").decode()
    lines = [
        ("Contact", "<sip:101@pbx.test>"),
        ("Via", "SIP/2.0/UDP h;x=%31%30%31"),
        ("Record-Route", f"<sip:h;vsf={packed}>"),
        ("X", b"ext 101 here".hex()),
    ]
    found = leaks("101", [message(*lines, body="v=0\r\no=101 1 1 IN IP4 h\r\n")])
    assert [line.split(" | ")[1].split()[0] for line in found] == [
        "Contact:",
        "Via:",
        "Record-Route:",
        "X:",
        "o=101",
    ]
    assert leaks("101", [message(("Contact", "<sip:1010@h>"), ("To", "<sip:x101@h>;tag=a101"))]) == []
    assert leaks("101", [message(("Record-Route", "<sip:h;lr=on;did=101.3912>"))]) == []
    assert leaks("100", [message()]) == ["INVITE sip:100@pbx.test SIP/2.0 | INVITE sip:100@pbx.test SIP/2.0"]


def test_a_phone_tells_what_leaked_to_it(phones):
    caller, callee = phones("101"), phones("200")
    caller.invite(callee.contact, from_user="100", headers={"Contact": "<sip:100@h>"})
    callee.expect_invite()
    found = [line.split(" | ")[1] for line in callee.leaks("101")]
    assert [line[:5] for line in found] == ["o=101", "s=101"]
    assert callee.leaks("102") == []


def test_a_wait_in_vain_shows_the_messages(phones):
    caller, callee = phones("200"), phones("100")
    call = caller.invite(callee.contact)
    call.wait(100)
    with pytest.raises(NothingCame) as caught:
        call.wait(180, timeout=0)
    text = str(caught.value)
    assert "200 waited 0 s for 180 to INVITE" in text
    assert "-> 127.0.0.1" in text
    assert "100 Trying (INVITE)" in text


def test_never_fails_when_it_came_before_the_end(phones):
    call, leg = connected(phones)
    callee = leg.phone
    callee.never(request("BYE"), until=call.info)
    with pytest.raises(AssertionError, match="100 got BYE"):
        callee.never(request("BYE"), until=call.bye)


def test_a_phone_lives_in_its_network_namespace():
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo && exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        holder.stdout.readline()
        inside = f"/proc/{holder.pid}/ns/net"
        host = f"127.{secrets.randbelow(200) + 1}.{secrets.randbelow(256)}.{secrets.randbelow(250) + 1}"
        for transport in ("udp", "tcp"):
            with Phone("100", transport=transport, bind=host, namespace=inside) as callee:
                callee.on_call = lambda leg: leg.answer()
                with Phone("200", transport=transport, namespace=inside) as caller:
                    assert caller.invite(callee.contact, wait=True).answers
                    callee.wait_for(request("ACK"))
                with Phone("201", transport=transport, bind=callee.transport.local) as outside:
                    assert outside.contact.split("@")[1] == callee.contact.split("@")[1]


def test_a_given_authority_is_demanded(phones, tmp_path):
    (tmp_path / "other").mkdir()
    chain, key = certificate(tmp_path)
    foreign, _ = certificate(tmp_path / "other")
    callee = phones("100", transport="tls", certificate=(chain, key))
    callee.on_call = lambda leg: leg.answer()
    assert phones("200", transport="tls", ca=chain).invite(callee.contact, wait=True).answers
    for wrong in ({"ca": foreign}, {"ca": chain, "domain": "other.test"}):
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            phones("201", transport="tls", **wrong).invite(callee.contact)


def test_a_stream_is_cut_into_messages_wherever_it_was_broken(phones):
    callee = phones("100", transport="tcp")
    lines = [("Via", "SIP/2.0/TCP h;branch=z9hG4bK{}"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:c@d>")]
    raw = b""
    for n in range(2):
        fields = Headers([(name, value.format(n)) for name, value in lines])
        raw += Message.request(
            "MESSAGE", "sip:100@x", [*fields, ("Call-ID", "i"), ("CSeq", "1 MESSAGE")], "hi\n"
        ).encode()
        raw += b"\r\n\r\n"
    with closing(socket.create_connection(callee.transport.local)) as sock:
        sock.sendall(raw[:30])
        sock.sendall(raw[30:-5])
        callee.wait_for(request("MESSAGE"))
        assert len(callee.received) == 1
        sock.sendall(raw[-5:])
        callee.wait_for(request("MESSAGE"), times=2)
        assert [message.body for message in callee.received] == ["hi\n"] * 2
        assert callee.malformed == []


def test_a_cut_connection_is_made_anew(phones):
    call, leg = connected(phones, transport="tcp")
    with call.phone.lock:
        call.phone.transport.drop()
    callee = leg.phone
    callee.wait(lambda: not callee.transport.reaches(leg.invite.peer), None, "the end of the connection")
    assert leg.info().status == 200
    assert call.bye().status == 200


def test_garbage_and_keep_alives_are_kept_apart(phones):
    sender, phone = phones("200"), phones("100")
    garbage = [b"nonsense", b"SIP/2.0 x OK\r\n\r\n"]
    for data in (b"\r\n\r\n", b"\0\0\0\0", *garbage):
        sender.send_raw(data, phone.transport.local)
    phone.wait(lambda: len(phone.malformed) == 2, None, "garbage")
    assert phone.malformed == garbage
    assert phone.received == []


def test_registration_proves_the_password(proxy):
    with proxy.phone("100") as phone, proxy.phone("100") as wrong:
        assert phone.register().status == 200
        wrong.password = "guess"
        assert wrong.register().status == 401
        assert phone.register(contact=["<sip:100@192.0.2.1>;q=0.5", "<sip:100@192.0.2.2>"]).status == 200
        assert len(phone.register(contact=[]).headers.all("Contact")) == 3
        assert phone.unregister().status == 200
        assert len(phone.register(contact=[]).headers.all("Contact")) == 2
        phone.unregister("*")
        assert phone.register(contact=[]).headers.all("Contact") == []


WAYS = [
    ("udp", "127.0.0.2", "tls", "127.0.0.3"),
    ("tls", "::1", "udp", "127.0.0.1"),
    ("tcp", "127.0.0.1", "udp", "::1"),
]


@pytest.mark.parametrize(("transport", "bind", "other", "other_bind"), WAYS)
def test_a_call_goes_through_a_proxy_over_any_transport(proxy, transport, bind, other, other_bind):
    with proxy.phone("200", transport, bind) as caller, proxy.phone("100", other, other_bind) as callee:
        assert callee.register().status == 200
        call = caller.invite("100")
        leg = callee.expect_invite()
        leg.ring()
        call.wait(180)
        leg.answer()
        assert call.final().status == 200
        assert len([each for each in call.responses if each.status == 407]) == 1
        leg.wait_ack()
        assert [call.info().status, leg.info().status, leg.reinvite(hold=True).status] == [200, 200, 200]
        assert leg.bye().status == 200
        assert call.wait_ended().method == "BYE"
        assert "Record-Route" in leg.invite.headers
        callee.unregister()


def test_the_first_of_three_phones_to_answer_stops_the_others(proxy):
    with ExitStack() as stack:
        phones = [stack.enter_context(proxy.phone("100")) for _ in range(3)]
        caller = stack.enter_context(proxy.phone("200"))
        for phone in phones:
            assert phone.register().status == 200
        call = caller.invite("100")
        legs = [phone.expect_invite() for phone in phones]
        for leg in legs:
            leg.ring()
        caller.wait(lambda: len(call.dialogs) == 3, None, "three early dialogs")
        legs[1].answer()
        call.final()
        for leg in (legs[0], legs[2]):
            assert leg.wait_cancelled().headers["Reason"].startswith("SIP;cause=200")
        assert call.bye().status == 200
        assert legs[1].wait_ended().method == "BYE"
        phones[0].unregister("*")


def test_two_phones_that_answer_at_once_both_reach_the_caller(proxy):
    with proxy.phone("100", t1=FAST) as one, proxy.phone("100", t1=FAST) as two, proxy.phone("200") as caller:
        for phone in (one, two):
            phone.register()
            phone.policies["CANCEL"] = leave  # as if the answer and the CANCEL crossed
        call = caller.invite("100", acks="first")
        legs = [phone.expect_invite() for phone in (one, two)]
        for leg in legs:
            leg.answer()
        caller.wait(lambda: len(call.answers) == 2, None, "two answers")
        first = call.dialog
        assert len([each for each in call.responses if each.status == 200]) == 2
        caller.wait(lambda: call.answers[1].end, None, "the second phone hangs up by itself")
        assert not first.ended
        assert call.bye().status == 200
        one.unregister("*")


def test_settling_waits_for_what_the_proxy_sent_before(proxy):
    with proxy.phone("200") as phone:
        phone.settle()
        assert phone.wait_for(response(200, "OPTIONS"))
