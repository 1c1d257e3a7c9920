"""Behaviour row 47, malformed SIP: the messages of RFC 4475 (`torture/`, by their names there), and random
damage to them and to what phones send. Nothing of it ends a process, reaches a phone, or stays in memory."""

import random
import select
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from parts import until
from sip.exchange import Office, exchanging
from sip.transport import Connection

MESSAGES = {
    file.stem: file.read_bytes() for file in sorted((Path(__file__).parent / "torture").glob("*.sip"))
}
ANSWERED_OTHERWISE = {"badvers": 505, "zeromf": 483}
"RFC 4475 names these answers."
SEED = 4475


@pytest.fixture(scope="module")
def tough():
    """An exchange that takes no flood for one, and no number of wrong passwords."""
    with exchanging(PEAL_FLOOD_LIMIT="1000000", PEAL_GUESSES="1000000") as running:
        yield running


@pytest.fixture(scope="module")
def phones(tough):
    """200, who calls, 100, who is called, and 201, a bystander."""
    with ExitStack() as stack:
        yield Office(tough, stack).phones("200", "100", "201")


def processes(exchange):
    """Process ids and what each does."""
    return exchange.rpc("core.ps")["result"]


def a_call(caller, callee):
    """A call, from its begin to its end; all that the caller sent for it."""
    before = len(caller.sent)
    call = caller.invite("100")
    leg = callee.expect_invite()
    leg.answer()
    assert call.final().status == 200
    leg.wait_ack()
    assert call.bye().status == 200
    return [message.encode() for message in caller.sent[before:]]


def by_tcp(exchange, data):
    """Send it over a connection of its own, and hang up; the status of each answer."""
    with socket.create_connection(("127.0.0.1", exchange.port), timeout=5) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        connection, found = Connection(sock), []
        while not connection.ended:
            assert select.select([sock], [], [], 10)[0]
            found += connection.messages()
    return [int(message.split(b" ", 2)[1]) for message in found]


def by_udp(exchange, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(data[:65000], ("127.0.0.1", exchange.port))


def test_all_messages_of_the_rfc_are_there():
    assert len(MESSAGES) == 49


# Break: request.cfg, BEGIN: 200 instead of 405 to what is no INVITE (those that are whole are answered 200)
@pytest.mark.parametrize("name", MESSAGES)
def test_row_47_a_malformed_message_is_dropped_or_refused_and_service_goes_on(tough, phones, name):
    caller, callee, _ = phones
    before, known = len(callee.received), processes(tough)
    by_udp(tough, MESSAGES[name])
    answers = by_tcp(tough, MESSAGES[name])
    wanted = ANSWERED_OTHERWISE.get(name)
    assert all(400 <= answer < 500 or answer == wanted for answer in answers), answers
    callee.settle()
    assert not [message for message in callee.received[before:] if message.is_request]
    a_call(caller, callee)
    assert processes(tough) == known


def damaged(data, chance):
    """The message with one to four wounds."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((1, 2, 8, 40, 200)))
        match chance.randrange(7):
            case 0:
                data[at:end] = chance.randbytes(end - at)
            case 1:
                del data[at:end]
            case 2:
                data[at:at] = data[at:end] * chance.choice((1, 2, 50))
            case 3:
                data[at:at] = chance.choice(SPECIAL)
            case 4:
                data[at:end] = chance.choice(SPECIAL)
            case 5:
                other = chance.choice(list(MESSAGES.values()))
                data[at:end] = other[at : end + 40]
            case _:
                lines = bytes(data).split(b"\r\n")
                chance.shuffle(lines)
                data = bytearray(b"\r\n".join(lines))
        data = data[:60000] or bytearray(b"x")
    return bytes(data)


SPECIAL = b"\" < > ; , @ : % %00 %s%n \\ [ ] ( | * -1 $var(x) ';-- ;tag= ;lr sip: Via: To:".split()
SPECIAL += [b"\0", b"\r\n", b"\r\n\r\n", b"\t ", b"\xff\xfe", b"A" * 5000, b"4294967296", b"9" * 20]
SPECIAL += [b"Content-Length: 9999999\r\n", b"Route: <sip:127.0.0.1;lr>\r\n"]


def level(exchange):
    """Bytes of shared memory in use, when no transaction is left.

    An INVITE that was hurt nowhere that matters is to the phone the one that it has answered before: it
    repeats its 200, and the switch has a call that nobody talks in, until it asks the phones after 30 s.
    """

    def transactions():
        found = exchange.rpc("tm.stats")["result"]
        return found["current"], found["waiting"]

    until(lambda: transactions() == (0, 0), 150, lambda: f"{transactions()}\n{exchange.report()}")
    return exchange.shared_memory


# Break: none to the switch; against Kamailio's parser (`kill -9` of a worker while it runs is noticed)
@pytest.mark.parametrize("number", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_row_47_damaged_messages_end_no_process_and_leave_nothing_in_memory(tough, phones, number):
    caller, callee, other = phones
    sound = [message.encode() for message in caller.sent] + a_call(caller, callee)
    sources, chance = sound * 6 + list(MESSAGES.values()), random.Random(SEED + number)
    known = processes(tough)
    callee.on_call = lambda leg: leg.decline()  # some are whole enough
    send(tough, other, sources, chance, 500)  # memory that is taken once and kept
    before = level(tough)
    send(tough, other, sources, chance, number)
    assert level(tough) - before < 2_000_000
    callee.on_call = None
    callee._legs.clear()
    a_call(caller, callee)
    assert processes(tough) == known
    assert b"switch_died" not in tough.log.read_bytes()


def send(exchange, other, sources, chance, number):
    """Send damaged messages, a tenth of them over TCP; no more than the switch can take."""
    for count in range(number):
        data = damaged(chance.choice(sources), chance)
        if count % 10:
            by_udp(exchange, data)
        else:
            with socket.create_connection(("127.0.0.1", exchange.port), timeout=5) as sock:
                sock.sendall(data)
        if count % 25 == 0:
            other.settle(timeout=30)
