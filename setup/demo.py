"""The main job, start to end, in a throw-away folder.

Exits 0 only if every answer was as the contract says.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

PEAL = Path(sys.executable).with_name("peal")
MAIN, ASSOCIATED = 31456, (32486, 32767)
SHOWN = {
    "extension": ("status", "dial_rule_limit"),
    "phone": ("incoming_limit", "record_enabled", "conference_pin"),
}
console = Console()

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
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.env = {**os.environ, "PEAL_HOME": folder, "PEAL_DATABASE_URL": f"sqlite:///{folder}/peal.db"}
        self.url = f"http://127.0.0.1:{self.port}/api/ver1.0"
        self.session = requests.Session()

    def peal(self, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """Run a command and return what it printed."""
        command = [str(PEAL), *arguments, "--json"]
        done = subprocess.run(command, env=self.env, input=stdin, capture_output=True, text=True, check=True)
        return dict(json.loads(done.stdout))

    def prepare(self) -> None:
        """Make client 801, its extensions and an application."""
        self.peal(
            "client",
            "create",
            "--name",
            "Bells Ltd",
            "--prefix",
            "0003",
            "--domain",
            "pbx.example",
            "--id",
            "801",
        )
        for number, extension in zip(("100", "101", "102"), (MAIN, *ASSOCIATED), strict=True):
            names = ("--name", number, "--type", "phone", "--id", str(extension))
            self.peal("extension", "create", "--client", "801", *names)
        self.peal(
            "user",
            "create",
            "--client",
            "801",
            "--login",
            "demo",
            "--password-stdin",
            stdin="ring the bells\n",
        )
        keys = self.peal(
            "app", "create", "--login", "demo", "--name", "Demo", "--type", "trusted", "--access", "All"
        )
        self.keys = {"grant_type": "client_credentials", **keys}

    def wait(self) -> None:
        """Return when the server is ready, then take a token."""
        ready = self.url.replace("/api/ver1.0", "/readyz")
        for _ in range(200):
            try:
                requests.get(ready, timeout=5).raise_for_status()
                break
            except requests.ConnectionError:
                time.sleep(0.05)
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

    def put(self, path: str, **values: object) -> None:
        """Change something."""
        expect(f"PUT {path} {values}", self.session.put(f"{self.url}{path}", json=values).status_code, 200)


def expect(what: str, got: object, wanted: object) -> None:
    """Go on only if the answer is the contract's."""
    if got != wanted:
        raise SystemExit(f"demo: {what}: got {got}, the contract says {wanted}")
    console.print(f"[green]as the contract says[/green]  {what}", highlight=False, soft_wrap=True)


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
    untied = demo.session.delete(f"{demo.url}/client/801/extensions_bundle/{MAIN}")
    expect("untied", (untied.status_code, untied.json()), (200, {"bundle_list": [], "bundle_id": MAIN}))
    expect("untying changes no parameter", [demo.values(e) for e in (MAIN, *ASSOCIATED)], changed)


def main() -> None:
    """Play the story against a server of its own."""
    with tempfile.TemporaryDirectory(prefix="peal-demo-") as folder:
        demo = Demo(folder)
        demo.prepare()
        command = [str(PEAL), "serve", "--port", str(demo.port)]
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
