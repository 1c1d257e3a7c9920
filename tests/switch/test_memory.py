"""What Kamailio is given follows from the settings, as the docs say, and is enough."""

import re
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from sip.exchange import Exchange

from peal.settings import Settings
from peal.switch.memory import Memory, needed

DOCS = Path(__file__).parent.parent.parent / "docs" / "operations.md"
PHONES = 20_000


def test_the_docs_say_what_the_default_settings_give():
    phones, calls, shared, private = re.search(
        r"([\d,]+) phones and ([\d,]+) calls: (\d+) and (\d+) MB", DOCS.read_text()
    ).groups()
    default = Settings()
    assert (f"{default.phones:,}", f"{default.calls:,}") == (phones, calls)
    assert needed(default) == Memory(int(shared), int(private))


def test_the_docs_give_the_formula():
    formula = re.findall(
        r"(shared|private) +\(-[mM], MB\) = (\d+) \+ phones x (\d+) kB(?: \+ calls x (\d+) kB)?",
        DOCS.read_text(),
    )
    assert len(formula) == 2
    size = needed(Settings(phones=102_400, calls=10_240))
    for name, base, phone, call in formula:
        assert getattr(size, name) == int(base) + 100 * int(phone) + 10 * int(call or 0)


# Break: memory.py: `PRIVATE_KB_PER_PHONE = 0`; kamailio.cfg: without `wait_worker1_time`, on a slow machine.
def test_a_switch_starts_with_as_many_registrations_as_the_settings_say(postgres):
    with tempfile.TemporaryDirectory(prefix="peal-exchange-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        exchange = Exchange(postgres.database(), folder, PEAL_PHONES=str(PHONES))
        try:
            exchange.process.terminate()
            assert exchange.process.wait(20) == 0
            register(folder / "switch" / "location.db")
            exchange.start()
            assert exchange.rpc("cnt.get", "usrloc", "location_contacts")["result"] == PHONES
            assert "switch_died" not in exchange.log.read_text()
        finally:
            exchange.stop()


def register(file):
    """Write registrations as the switch does, longer than most are."""
    later = (time.time() + 3600) / 86400 + 2440587.5  # a date as Kamailio's SQLite has it
    row = {
        "domain": "pbx.example.com",
        "expires": later,
        "last_modified": later,
        "q": -1.0,
        "cseq": 1,
        "flags": 0,
        "cflags": 64,
        "user_agent": "Desk Phone T46G 66.85.0.5 001565abcdef",
        "socket": "udp:127.0.0.1:5060",
        "methods": 6111,
        "instance": "<urn:uuid:00000000-0000-0000-0000-0015650f1234>",
        "reg_id": 0,
        "server_id": 0,
        "connection_id": -1,
        "keepalive": 1,
        "partition": 0,
    }
    each = {
        "ruid": "uloc-{0:x}-1-1",
        "username": "abcdefgh*{0}",
        "contact": "sip:abcdefgh*{0}@192.168.100.200:5060;transport=udp;line=abcdef0123456789",
        "received": "sip:203.0.113.250:50600",
        "callid": "{0:032x}@192.168.100.200",
    }
    names = [*row, *each]
    with closing(sqlite3.connect(file)) as location, location:
        location.executemany(
            f"INSERT INTO location ({','.join(names)}) VALUES ({','.join('?' * len(names))})",
            ([*row.values(), *(text.format(i) for text in each.values())] for i in range(PHONES)),
        )
