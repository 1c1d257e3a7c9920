"""Phones of other makes spell messages in another way (RFC 3261, 7.3.1): all of it is legal."""

import re

import pytest
from sip.message import COMPACT
from sip.policy import follow_refer
from sip.test_changes import talk

COMPACT_OF = {name: letter for letter, name in COMPACT.items()}


def each_header(change):
    """Change the header lines of a message; `change(name, value)` returns lines."""

    def respell(data: bytes) -> bytes:
        head, blank, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = (line.partition(": ")[::2] for line in lines)
        changed = [new for name, value in pairs for new in change(name, value)]
        return "\r\n".join([first, *changed]).encode() + blank + body

    return respell


def via_anew(name, value):
    """PJSIP, linphone and twinkle write a Via from what they have read."""
    if name != "Via":
        return [f"{name}: {value}"]
    found = []
    for one in value.split(", "):
        sent_by, *params = one.split(";")
        found.append(f"Via: {sent_by};{';'.join(sorted(params, reverse=True))}")
    return found


def vias_in_one_line(data: bytes) -> bytes:
    head, blank, body = data.partition(b"\r\n\r\n")
    vias = re.findall(rb"\r\nVia: ([^\r]*)", head)
    rest = re.sub(rb"\r\nVia: [^\r]*", b"", head)
    first, end, others = rest.partition(b"\r\n")
    return first + end + b"Via: " + b" ,\t".join(vias) + b"\r\n" + others + blank + body


def folded(name, value):
    """Over TCP Kamailio looks for the length of a message in one line."""
    return [f"{name}: {value}" if name == "Content-Length" else f"{name}:\r\n {value}"]


SPELLINGS = {
    "parameters of a Via in another order": each_header(via_anew),
    "all Vias in one line": vias_in_one_line,
    "names in small letters": each_header(lambda name, value: [f"{name.lower()}: {value}"]),
    "names in capitals": each_header(lambda name, value: [f"{name.upper()}: {value}"]),
    "names with one capital": each_header(lambda name, value: [f"{name.capitalize()}: {value}"]),
    "compact names": each_header(lambda name, value: [f"{COMPACT_OF.get(name, name)}:{value}"]),
    "compact names in capitals": each_header(
        lambda name, value: [f"{COMPACT_OF.get(name, name).upper()}: {value}"]
    ),
    "blanks before and behind the colon": each_header(lambda name, value: [f"{name} \t: \t{value} "]),
    "folded lines": each_header(folded),
    "blanks around the parameters of a Via": each_header(
        lambda name, value: [f"{name}: {value.replace(';', ' ; ') if name == 'Via' else value}"]
    ),
}


def spelling(phone, respell):
    """Have a phone send all its messages in this spelling."""
    send = phone.transport.send
    phone.transport.send = lambda data, peer: send(respell(data) if b"SIP/2.0" in data else data, peer)
    return phone


# Break: request.cfg: without `route(SPELL)`; hide.cfg, GIVE_VIA_BACK: `subst_hf` of what HIDE_VIA wrote.
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_row_01_a_phone_of_any_spelling_answers_and_goes_on_talking(office, respell, transport):
    phone = spelling(office.phone("101", transport=transport), respell)
    colleague = office.phone("200")
    call, leg = talk(colleague, "100", phone)
    for end, other in ((leg, call), (call, leg)):
        assert end.reinvite(hold=True).status == 200
        assert other.options().status == 200
    assert leg.bye().status == 200
    assert call.wait_ended()


@pytest.mark.parametrize("respell", SPELLINGS.values(), ids=SPELLINGS)
def test_row_27_and_32_a_phone_of_any_spelling_calls_and_transfers(office, respell):
    phone = spelling(office.phone("101"), respell)
    colleague, other = office.phones("200", "201")
    colleague.policies["REFER"] = follow_refer
    call, _ = talk(phone, "200", colleague)
    assert call.refer("201").status == 202
    leg = other.expect_invite()
    leg.answer()
    assert call.wait_transferred() == 200
    assert call.bye().status == 200
    assert colleague.leaks("101") == other.leaks("101") == []
    assert colleague.wait_followed().bye().status == 200
