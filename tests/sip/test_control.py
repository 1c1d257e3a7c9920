"""The control port: on loopback, with the key, only what Peal asks; password hashes stay where they are."""

import json
import os
import socket
import stat
import subprocess

import httpx
import pytest
from parts import NO_TLS, look
from sip.story import story
from sqlalchemy import select

from peal.calls.tables import call_event
from peal.phones.tables import phone
from peal.switch import config

FORBIDDEN = [
    ("htable.dump", ["row"]),
    ("htable.get", ["row", "x"]),
    ("htable.listTables", []),
    ("htable.sets", ["state", "good", "1"]),
    ("cfg.set_now_int", ["core", "debug", "3"]),
    ("core.kill", []),
    ("core.info", []),
    ("mod.mem_stats", ["all", "all"]),
    ("pl.list", []),
    ("dlg.terminate_dlg", ["a", "b"]),
    ("ul.flush", []),
    ("ul.rm", ["location", "x"]),
    ("mqueue.fetch", ["event"]),
    ("xlookup", []),
]


def ask(exchange, body):
    return exchange.post_rpc((exchange.folder / "switch" / config.KEY_FILE).read_text(), content=body)


def question(method, params):
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(body, separators=(",", ":"))


# Break: control.cfg, ANSWER_PEAL: dispatch whatever is asked
@pytest.mark.parametrize(("method", "params"), FORBIDDEN, ids=[method for method, _ in FORBIDDEN])
def test_what_peal_does_not_ask_is_refused_even_with_the_key(exchange, method, params):
    answer = ask(exchange, question(method, params))
    assert (answer.status_code, answer.text) == (403, "no")


@pytest.mark.parametrize(
    "body",
    [
        '{"jsonrpc":"2.0","id":1,"method":"core.ps","method":"htable.dump","params":["row"]}',
        '{"jsonrpc":"2.0","id":1,"method":"htable.dump","params":["row"],"method":"core.ps","params":[]}',
        '{"jsonrpc":"2.0","id":1,"method":"core.ps","params":[],"method":"htable.dump"}',
        '{"method":"htable.dump","params":["row"]}\n{"jsonrpc":"2.0","id":1,"method":"core.ps","params":[]}',
        '{"jsonrpc":"2.0","id":1,"method":"core.ps","params":[]}\n{"method":"htable.dump","params":["row"]}',
        '[{"jsonrpc":"2.0","id":1,"method":"core.ps","params":[]}]',
        '{"jsonrpc":"2.0","id":1,"method":"htable.get","params":["row","x"]}',
        "",
    ],
)
def test_no_other_form_of_a_question_brings_a_second_method_in(exchange, body):
    answer = ask(exchange, body)
    assert (answer.status_code, answer.text) == (403, "no")


@pytest.mark.parametrize("method", config.METHODS)
def test_what_peal_asks_is_answered(exchange, method):
    params = {
        "ul.lookup": ["location", "nobody@pbx.test"],
        "dlg.profile_get_size": ["in"],
        "cnt.get": ["usrloc", "location_contacts"],
    }
    answer = ask(exchange, question(method, params.get(method, [])))
    assert answer.json()["jsonrpc"] == "2.0"


def test_of_the_tables_only_the_state_is_told(exchange):
    told = exchange.rpc("htable.get", "state", "good")
    assert told["result"]["item"]["value"] > 0


def test_the_control_port_is_on_loopback_only(exchange):
    own = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split()
    for address in ["127.0.0.2", *own]:
        refused = pytest.raises((ConnectionRefusedError, TimeoutError))
        with refused, socket.create_connection((address, exchange.control), timeout=2):
            pass


def test_the_phones_port_takes_no_questions(exchange):
    with pytest.raises(httpx.HTTPError):
        httpx.post(
            f"http://127.0.0.1:{exchange.port}/rpc", content=question("core.ps", []), timeout=1, verify=NO_TLS
        )


def test_no_hash_of_a_password_is_to_be_found_outside_the_database(office):
    callee, caller = office.phones("100", "200")
    wrong = office.phone("101", registered=False)
    wrong.password = "a wrong password"
    assert wrong.register().status == 401
    call = caller.invite("100")
    callee.expect_invite().decline()
    assert call.final().status == 486
    story(office)
    database = office.exchange.api.database
    mine = select(phone.c.ha1_md5, phone.c.ha1_sha256).where(phone.c.client_id == office.tenant.id)
    rows, events = look(database, mine, select(call_event.c.body))
    hashes = [text.encode() for row in rows for text in row.values() if text]
    assert len(hashes) == 10
    folder = office.exchange.folder
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("peal.db")]
    assert {"kamailio.cfg", "location.db", "switch.log", "api.log"} <= {file.name for file in files}
    told = [file.read_bytes() for file in files] + [json.dumps([row["body"] for row in events]).encode()]
    assert not [each for each in hashes if any(each in text for text in told)]


def test_nobody_else_of_this_machine_reads_the_switchs_files(exchange):
    folder = exchange.folder / "switch"
    assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
    if os.getuid() == 0:
        reading = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "cat"]
        for name in ("control.key", "kamailio.cfg", "control.cfg", "location.db"):
            done = subprocess.run([*reading, folder / name], capture_output=True, check=False)
            assert (done.returncode, done.stdout) == (1, b""), name
