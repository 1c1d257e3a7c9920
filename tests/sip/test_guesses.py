"""Behaviour table, "Strangers": who guesses, who floods, and who only lives behind the same address."""

import itertools
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest
from sip.exchange import Office, exchanging
from sip.lines import outside_of

BAN_SECONDS = 6
ADDRESSES = itertools.count(20)


@pytest.fixture(scope="module")
def strict():
    """An exchange that bans for a short while only, and soon takes many requests for a flood."""
    with exchanging(PEAL_BAN_SECONDS=str(BAN_SECONDS), PEAL_FLOOD_LIMIT="300") as running:
        yield running


@pytest.fixture
def guarded(strict):
    """A fresh client of it."""
    with ExitStack() as stack:
        yield Office(strict, stack)


@pytest.fixture
def address():
    """An address that no other test has used."""
    return f"127.0.0.{next(ADDRESSES)}"


def guess(office, number, times, address):
    """Show wrong passwords; all are answered, and not only when a ban has passed."""
    phone = office.phone("100", registered=False, bind=address)
    phone.user = phone.login = office.user(number)
    phone.password = "a wrong password"
    usual, phone.t1 = phone.t1, 60  # repeats nothing: each would be a guess
    for _ in range(times):
        assert phone.register(timeout=BAN_SECONDS / 2).status == 401
    phone.t1 = usual
    return phone


def is_silent(phone, other):
    """Whether a phone gets no answer while another one does, several times; leaves it asking."""
    asked = phone.start_register()
    for _ in range(3):
        assert other.register().status == 200
    return asked if asked.final is None else None


# Break: identify.cfg, FAILED: ban $si instead of the pair (others are silent), or nobody (no silence)
def test_row_45_twenty_wrong_passwords_ban_that_pair_for_a_while_and_nobody_else(guarded, address):
    beside, elsewhere = guarded.phone("101", bind=address), guarded.phone("100")
    phone = guess(guarded, "100", 20, address)
    banned = time.monotonic()
    phone.password = guarded.passwords["100"]
    asked = is_silent(phone, beside)
    assert asked
    assert elsewhere.register().status == 200
    assert asked.wait(BAN_SECONDS + 5).status == 200  # it asked again and again
    assert time.monotonic() - banned > BAN_SECONDS - 1


# Break: identify.cfg, PROVE: a success does not clear `failed`
def test_row_45_a_right_password_forgives_the_wrong_ones(guarded, address):
    for _ in range(2):
        phone = guess(guarded, "100", 19, address)
        phone.password = guarded.passwords["100"]
        assert phone.register(timeout=BAN_SECONDS / 2).status == 200


# Break: identify.cfg, FAILED: the address is counted at each wrong password, not at each new number
def test_row_45_an_address_that_tries_twenty_numbers_without_one_success_is_banned(guarded, address):
    elsewhere, known = guarded.phone("101"), guarded.phone("100", registered=False, bind=address)
    for number in range(300, 319):
        guess(guarded, str(number), 3, address)
    assert known.register().status == 200  # the count begins anew
    for number in range(400, 419):
        guess(guarded, str(number), 1, address)
    guess(guarded, "418", 5, address)
    other = guarded.phone("200", registered=False, bind=address)
    other.password = None
    assert other.register().status == 401  # nineteen
    guess(guarded, "419", 1, address)
    asked = is_silent(known, elsewhere)
    assert asked
    assert asked.wait(BAN_SECONDS + 5).status == 200


# Break: request.cfg, DEFEND: a ban keeps out whoever shows that address, as it was.
def test_guesses_in_the_name_of_a_trunk_do_not_silence_it(guarded, address):
    with outside_of(guarded) as beyond:
        line, did = beyond.line(bind=address), beyond.number("100")
        main = guarded.phone("100")
        beyond.settle()
        for number in range(500, 520):
            guess(guarded, str(number), 1, address)
        call = line.phone.invite(did)
        main.expect_invite().answer()
        assert call.final().status == 200
        assert call.bye().status == 200


# Break: request.cfg, DEFEND: no pike_check_req; or the address is banned, as it was.
def test_row_47_a_flood_gets_no_answer_while_it_lasts_and_service_goes_on(guarded, address):
    flooder, caller, callee = guarded.phone("101", bind=address), *guarded.phones("200", "100")
    message = (
        "OPTIONS sip:pbx.test SIP/2.0\r\nVia: SIP/2.0/UDP {0};branch=z9hG4bK{1}\r\nFrom: <sip:f@x>;tag=1\r\n"
    )
    message += "To: <sip:f@x>\r\nCall-ID: {1}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    for number in range(3000):
        flooder.send_raw(message.format(f"{address}:5999", number).encode())
    call = caller.invite("100")
    callee.expect_invite().answer()
    assert call.final().status == 200
    assert call.bye().status == 200
    asked = is_silent(flooder, callee)
    assert asked
    log = guarded.exchange.log.read_text()
    assert f"flood from {address}: dropped while it lasts" in log
    assert f"banned address {address}" not in log
    assert asked.wait(10).status == 200


# Break: request.cfg, DEFEND: no look at $ua
@pytest.mark.parametrize("agent", ["friendly-scanner", "sipvicious 0.3", "SIPCLI/1.8", "pplsip"])
def test_row_47_a_scanner_gets_no_answer(guarded, agent):
    scanner, other = guarded.phone("101", registered=False), guarded.phone("100")
    scanner.agent = agent
    assert is_silent(scanner, other)


# Break: request.cfg, BEGIN: answer 200 to what is no INVITE
@pytest.mark.parametrize(
    "method", ["SUBSCRIBE", "MESSAGE", "PUBLISH", "NOTIFY", "INFO", "REFER", "UPDATE", "PRACK", "BYE"]
)
def test_row_47_what_belongs_to_no_dialog_is_refused_and_reaches_nobody(office, method):
    sender, callee = office.phones("101", "100")
    before = len(callee.received)
    refused = sender.request(method, "100")
    assert 400 <= refused.status < 500
    assert refused.status != 405 or "INVITE" in refused.headers["Allow"]
    callee.settle()
    assert not [each for each in callee.received[before:] if each.is_request]


# Break: register.cfg, REGISTER: no lock (the file of registrations is busy, some are refused)
def test_row_46_two_hundred_phones_behind_one_address_register_at_once(office, address):
    numbers = [str(number) for number in range(300, 367)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(office.extension, numbers))
    phones = [
        office.phone(number, registered=False, bind=address, transport=transport, patience=30)
        for number in numbers
        for transport in ("udp", "tcp", "udp")
    ]
    asked = [phone.start_register() for phone in phones]
    assert {each.wait().status for each in asked} == {200}
    assert len(phones) > 200
    with closing(sqlite3.connect(office.exchange.folder / "switch" / "location.db")) as file:
        query = "SELECT username, count(*) FROM location WHERE username LIKE ? GROUP BY username"
        found = file.execute(query, (office.user("%"),)).fetchall()
    assert found == [(office.user(number), 3) for number in numbers]
