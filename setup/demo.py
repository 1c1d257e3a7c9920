"""The main job, start to end, in a throw-away folder.

Exits 0 only if every answer was as the contract says, and every call as the behaviour table does.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import listening
import requests
import ringing
from rich.console import Console
from rich.table import Table

PEAL = Path(sys.executable).with_name("peal")
MAIN, ASSOCIATED, COLLEAGUE = 31456, (32486, 32767), 32800
NUMBERS = {MAIN: "100", ASSOCIATED[0]: "101", ASSOCIATED[1]: "102", COLLEAGUE: "200"}
LABELS = {MAIN: "Ann Bell", COLLEAGUE: "Bob Colleague"}
DOMAIN = "pbx.example"
SHOWN = {
    "extension": ("status", "dial_rule_limit"),
    "phone": ("incoming_limit", "record_enabled", "conference_pin"),
}
TOLD = ("flow", "extension", "result", "bundle_info")
"What the demo shows of a call and its legs."
console = Console()

TABLE = "the behaviour table"
RANG, STOPPED, SILENT = ringing.ANSWERED, ringing.STOPPED, ringing.SILENT
ANN, BOB = "Ann Bell <100>", "Bob Colleague <200>"
CALLS = [
    (
        1,
        "200 calls 100, the main extension; 101 answers",
        ("200", "100", "101"),
        ringing.Outcome({"100": STOPPED, "101": RANG, "102": STOPPED}, ANN, frozenset([BOB])),
        {
            "call": ("in", "100", "answered", None),
            "leg 0": ("out", "200", "answered", None),
            "leg 1": ("in", "100", "answered elsewhere", "100"),
            "leg 2": ("in", "101", "answered", "100"),
            "leg 3": ("in", "102", "answered elsewhere", "100"),
        },
        listening.story("200", "100", shown="200", dialled="100", to="100"),
    ),
    (
        27,
        "101 calls 200, a colleague; 200 answers",
        ("101", "200", "200"),
        ringing.Outcome({"100": SILENT, "102": SILENT, "200": RANG}, BOB, frozenset([ANN])),
        {
            "call": ("in", "200", "answered", None),
            "leg 0": ("out", "100", "answered", "101"),
            "leg 1": ("in", "200", "answered", None),
        },
        listening.story("100", "200", shown="100", dialled="200", of="101"),
    ),
    (
        18,
        "200 calls 101, an associated one; it answers",
        ("200", "101", "101"),
        ringing.Outcome({"100": SILENT, "101": RANG, "102": SILENT}, "101 <101>", frozenset([BOB])),
        {
            "call": ("in", "100", "answered", None),
            "leg 0": ("out", "200", "answered", None),
            "leg 1": ("in", "101", "answered", "100"),
        },
        listening.story("200", "100", shown="200", dialled="101", to="100"),
    ),
]

CURL = """curl -H "Authorization: Bearer ${access_token}" -H "Content-Type: application/json" \\
     -d '{"bundle_list": [32486, 32767]}' -X POST ${url}/client/801/extensions_bundle/31456"""

PROGRAM = """import requests
answer = requests.post(
    f"{URL}/client/801/extensions_bundle/31456",
    headers={"Authorization": f"Bearer {ACCESS_TOKEN}", "Content-Type": "application/json"},
    data='{"bundle_list": [32486, 32767]}',
)
print(answer.text)"""


class Demo:
    """A Peal of its own and what is said to it."""

    def __init__(self, folder: str) -> None:
        self.port, self.sip, self.tls, self.control, self.relay = free_ports(5)
        self.env = {
            **os.environ,
            "PEAL_HOME": folder,
            "PEAL_DATABASE_URL": f"sqlite:///{folder}/peal.db",
            "PEAL_PORT": str(self.port),
            "PEAL_SIP_PORT": str(self.sip),
            "PEAL_SIP_TLS_PORT": str(self.tls),
            "PEAL_CONTROL_PORT": str(self.control),
            "PEAL_RELAY_PORT": str(self.relay),
            "PEAL_EVENTS_PRIVATE_TARGETS": "127.0.0.0/8",  # where the demo's subscriber is
        }
        self.url = f"http://127.0.0.1:{self.port}/api/ver1.0"
        self.session = requests.Session()

    def peal(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """Run a command and return what it printed."""
        command = [str(PEAL), *arguments, "--json"]
        done = subprocess.run(command, env=self.env, input=stdin, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def prepare(self) -> None:
        """Make client 801, its extensions and an application."""
        client = ("--name", "Bells Ltd", "--prefix", "0003", "--domain", DOMAIN, "--id", "801")
        self.peal("client", "create", *client)
        for extension, number in NUMBERS.items():
            names = ("--name", number, "--type", "phone", "--id", str(extension))
            self.peal("extension", "create", "--client", "801", *names)
        user = ("--client", "801", "--login", "demo", "--password-stdin")
        self.peal("user", "create", *user, stdin="ring the bells\n")
        application = ("--login", "demo", "--name", "Demo", "--type", "trusted", "--access", "All")
        keys = self.peal("app", "create", *application)
        self.keys = {"grant_type": "client_credentials", **keys}

    def wait(self) -> None:
        """Return when API and switch are ready, then take a token."""
        until_ready(self.url.replace("/api/ver1.0", "/readyz"))
        until_ready(f"http://127.0.0.1:{self.control}/health")
        answer = requests.post(self.url.replace("/api/ver1.0", "/oauth/token"), data=self.keys, timeout=5)
        expect("a token", answer.status_code, 200)
        self.token = answer.json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def curl(self) -> dict[str, Any]:
        """Run the cURL line of the contract, as it stands there."""
        env = {**os.environ, "url": self.url, "access_token": self.token}
        done = subprocess.run(["sh", "-c", CURL], env=env, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def program(self) -> dict[str, Any]:
        """Run the Python program of the contract, as it stands there."""
        text = f"URL = {self.url!r}\nACCESS_TOKEN = {self.token!r}\n{PROGRAM}"
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def values(self, extension: int) -> dict[str, Any]:
        """Return the synchronised fields that the demo shows."""
        one = self.session.get(f"{self.url}/client/@me/extension/{extension}").json()
        phone = self.session.get(f"{self.url}/extension/{extension}/phone/").json()
        return {k: one[k] for k in SHOWN["extension"]} | {k: phone[k] for k in SHOWN["phone"]}

    def show(self, title: str) -> list[dict[str, Any]]:
        """Print the values of the three extensions, and return them."""
        found = [self.values(extension) for extension in (MAIN, *ASSOCIATED)]
        table = Table("", *(str(e) for e in (MAIN, *ASSOCIATED)), title=title, title_justify="left")
        for name in found[0]:
            table.add_row(name, *(json.dumps(values[name]) for values in found))
        console.print(table)
        return found

    def last_call(self, calls: int) -> dict[str, Any]:
        """Return the last call of the history, when so many are over."""
        query = "start_datetime=2000-1-1&end_datetime=2100-1-1"
        url = f"{self.url}/client/@me/call_history/?{query}"
        deadline = time.monotonic() + 5
        while len(found := self.session.get(url).json()["call_history"]) < calls:
            if time.monotonic() > deadline:
                raise SystemExit(f"demo: {len(found)} calls in the history, not {calls}")
            time.sleep(0.05)
        return dict(found[0])

    def subscribe(self, subscriber: listening.Subscriber) -> None:
        """Have all events of calls sent to it."""
        made = {}
        for kind in listening.KINDS:
            body = {"url": subscriber.url, "event_type": kind, "method": "POST"}
            made[kind] = self.session.post(f"{self.url}/client/@me/phone_events/", json=body)
        expect(f"subscriptions to {', '.join(made)}", {one.status_code for one in made.values()}, {201})
        subscriber.secrets = {kind: one.json()["secret"] for kind, one in made.items()}

    def put(self, path: str, **values: object) -> None:
        """Change something."""
        expect(f"PUT {path} {values}", self.session.put(f"{self.url}{path}", json=values).status_code, 200)

    def passwords(self) -> dict[str, str]:
        """Have a SIP password made for each phone; return them by their users."""
        made = {}
        for extension, number in NUMBERS.items():
            answer = self.session.put(
                f"{self.url}/extension/{extension}/phone/", json={"password": "generate"}
            )
            made[f"0003*{number}"] = answer.json()["password"]
        return made


def show_history(call: dict[str, Any]) -> dict[str, tuple[str | None, ...]]:
    """Print a call and its legs; return what of each matters most."""
    rows = {"call": gist(call), **{f"leg {n}": gist(leg) for n, leg in enumerate(call["cdr"])}}
    table = Table("", *TOLD, title=f"call_history of {call['call_uuid']}", title_justify="left")
    for name, row in rows.items():
        table.add_row(name, *(value or "" for value in row))
    console.print(table)
    return rows


def gist(row: dict[str, Any]) -> tuple[str | None, ...]:
    """Return flow, extension, result and bundle of a call or leg."""
    info = row.get("bundle_info")
    number = info.split(";")[1] if info else None
    return row["flow"], NUMBERS[row["extension_id"]], row["result"], number


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def until_ready(url: str) -> None:
    """Wait for a 200, at most 20 s."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"demo: {url} never became ready")


def expect(what: str, got: object, wanted: object, by: str = "the contract") -> None:
    """Go on only if the answer is the one agreed."""
    if got != wanted:
        raise SystemExit(f"demo: {what}: got {got}, {by} says {wanted}")
    console.print(f"[green]as {by} says[/green]  {what}", highlight=False, soft_wrap=True)


def calls(demo: Demo) -> None:
    """Register four phones and let them ring, while a subscriber listens."""
    for extension, label in LABELS.items():
        demo.put(f"/client/@me/extension/{extension}", label=label, status="active")
    with ExitStack() as stack:
        phones = ringing.register(stack, ("127.0.0.1", demo.sip), DOMAIN, demo.passwords())
        console.print(f"registered: {', '.join(phones)}", highlight=False)
        subscriber = stack.enter_context(listening.Subscriber(NUMBERS))
        demo.subscribe(subscriber)
        for place, (row, title, (caller, dialled, answers), wanted, told, events) in enumerate(CALLS, 1):
            outcome = ringing.call(phones, caller, dialled, answers)
            ringing.show(console, title, outcome)
            expect(f"row {row}", outcome, wanted, TABLE)
            call = demo.last_call(place)
            expect(f"row {row}: its history", show_history(call), told, TABLE)
            heard = subscriber.heard(call["call_uuid"], len(events))
            listening.show(console, subscriber.url, heard)
            expect(f"row {row}: its events, in their order", heard, events)
            if row == 27:
                expect("row 27: nothing that 200 was sent names 101", phones["200"].leaks("101"), [], TABLE)
        expect("each event was signed with its subscription's secret", subscriber.unsigned(), [])


def story(demo: Demo) -> None:
    """Tie, change, untie."""
    bundle = {"bundle_list": list(ASSOCIATED), "bundle_id": MAIN}
    demo.put(f"/client/@me/extension/{MAIN}", status="active", dial_rule_limit=5)
    demo.put(f"/extension/{MAIN}/phone/", incoming_limit=2, conference_pin="1234")
    before = demo.show("Before: three extensions, each for itself")
    expect("they differ", before[0] != before[1], True)
    expect("the cURL line", demo.curl(), bundle)
    expect("the Python program", demo.program(), bundle)
    after = demo.show("After: one bundle, all follow 31456")
    expect("all members agree with the main one", after, [before[0]] * 3)
    demo.put(f"/extension/{ASSOCIATED[1]}/phone/", record_enabled=True)
    changed = demo.show("record_enabled changed on 32767: all follow")
    expect("all members agree", changed, [{**before[0], "record_enabled": True}] * 3)
    calls(demo)
    untied = demo.session.delete(f"{demo.url}/client/801/extensions_bundle/{MAIN}")
    expect("untied", (untied.status_code, untied.json()), (200, {"bundle_list": [], "bundle_id": MAIN}))
    expect("untying changes no parameter", [demo.values(e) for e in (MAIN, *ASSOCIATED)], changed)


def main() -> None:
    """Play the story against a server of its own."""
    os.umask(0o027)
    with tempfile.TemporaryDirectory(prefix="peal-demo-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # started as root, the switch has a user of its own
        demo = Demo(folder)
        demo.prepare()
        command = [str(PEAL), "up"]
        with (
            (Path(folder) / "log").open("wb") as log,
            subprocess.Popen(command, env=demo.env, stdout=log, stderr=log) as server,
        ):
            try:
                demo.wait()
                story(demo)
            finally:
                server.terminate()
        expect("the server's exit code", server.returncode, 0)


if __name__ == "__main__":
    main()
