"""`peal up`, as a newcomer and as an operator start it."""

import json
import os
import pwd
import signal
import stat
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from parts import PEAL, free_port, status_of, until
from sip.phone import Phone

AS_NOBODY = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups")
"The interpreter may lie where only its owner passes: this user may read all, and write what is its own."
READS_ALL = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")


class Up:
    """A `peal up` in a folder of its own, on free ports."""

    def __init__(self, folder: Path, *before: str, **settings: str):
        self.folder, self.before, self.settings = folder, before, settings
        self.api, self.sip, self.tls, self.control, self.relay = free_ports(5)

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.before, PEAL, "up", "--json"],
                env={"PATH": os.environ["PATH"], "PYTHONFAULTHANDLER": "1", **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self.told = json.loads(self.process.stdout.readline() or "null")
        return self

    @property
    def environment(self) -> dict[str, str]:
        ports = {
            "PORT": self.api,
            "SIP_PORT": self.sip,
            "SIP_TLS_PORT": self.tls,
            "CONTROL_PORT": self.control,
            "RELAY_PORT": self.relay,
        }
        values = {"HOME": self.folder / "home", **ports, **self.settings}
        return {f"PEAL_{name}": str(value) for name, value in values.items()}

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def until(self, holds, seconds: float = 15):
        until(holds, seconds, lambda: self.log)

    def answers(self, url: str) -> bool:
        return status_of(url) == 200

    def wait(self, seconds: float = 15):
        self.until(lambda: self.answers(f"http://127.0.0.1:{self.api}/readyz"), seconds)
        self.until(lambda: self.answers(f"http://127.0.0.1:{self.control}/health"), seconds)
        return self

    def processes(self) -> dict[int, str]:
        """All that belong to it, and what they are: by the environment that they were given."""
        mark = f"PEAL_HOME={self.folder / 'home'}\0".encode()
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found[int(process.name)] = (process / "cmdline").read_text().replace("\0", " ")
            except OSError:
                continue
        return found

    def pids(self, word: str) -> list[int]:
        return [pid for pid, command in self.processes().items() if word in command]

    def interrupt(self) -> int:
        """As by Ctrl-C: to all of the terminal's foreground."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end; return the exit code."""
        try:
            return self.process.wait(25)
        except subprocess.TimeoutExpired:  # before the API gives up its workers, after 30 s
            os.killpg(self.process.pid, signal.SIGABRT)  # each tells in the log where it stands
            self.process.wait(30)
            raise AssertionError(self.log[-10_000:]) from None

    def phone(self, number: str, told: dict) -> Phone:
        """A phone that is told what the first start has printed."""
        host, port = told["sip"].split(":")
        keys = told[f"phone_{number}"]
        return Phone(keys["login"], keys["password"], told["sip_domain"], (host, int(port)))


def free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]


@pytest.fixture
def folder():
    """Below /tmp, where the switch's user can reach it."""
    with tempfile.TemporaryDirectory(prefix="peal-up-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture
def starting():
    """Starts them; what is left of them at the end is killed."""
    made = []

    def start(folder: Path, *before: str, **settings: str) -> Up:
        made.append(Up(folder, *before, **settings))
        return made[-1].start()

    yield start
    for each in made:
        for pid in each.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        each.process.communicate()


def modes(folder: Path) -> dict[str, str]:
    return {each.name: stat.filemode(each.stat().st_mode) for each in folder.iterdir()}


def owner(pid: int) -> str:
    return pwd.getpwuid(Path(f"/proc/{pid}").stat().st_uid).pw_name


def test_the_first_start_has_a_bundle_that_phones_register_for_and_that_rings(folder, starting):
    up = starting(folder).wait()
    assert up.told["sip"] == f"127.0.0.1:{up.sip}"
    with ExitStack() as stack:
        *bundle, caller = (stack.enter_context(up.phone(n, up.told)) for n in ("100", "101", "102", "200"))
        for phone in (*bundle, caller):
            assert phone.register().status == 200
        call = caller.invite("100")
        legs = [phone.expect_invite() for phone in bundle]
        legs[2].answer()
        assert call.final().status == 200
        assert call.bye().status == 200
    assert up.interrupt() == 0, up.log
    again = starting(folder)
    assert set(again.told) == {"api", "api_browser", "sip"}


def test_ctrl_c_ends_all_of_it(folder, starting):
    up = starting(folder).wait()
    assert up.pids("kamailio")
    assert up.pids("switch run")
    assert up.interrupt() == 0, up.log
    assert up.processes() == {}


def test_sigterm_to_it_alone_ends_all_of_it(folder, starting):
    up = starting(folder).wait()
    up.process.terminate()
    assert up.ended() == 0, up.log
    assert up.processes() == {}


def test_no_switch_outlives_it(folder, starting):
    up = starting(folder).wait()
    up.process.kill()
    up.until(lambda: not up.pids("kamailio") and not up.pids("switch run"))


def test_a_switch_that_ends_unasked_is_started_again(folder, starting):
    up = starting(folder).wait()
    [before] = up.pids("switch run")
    os.kill(before, signal.SIGKILL)
    up.until(lambda: set(up.pids("switch run")) - {before})
    up.wait()
    assert "ended_unasked" in up.log


def test_without_the_switch_it_is_the_api_alone(folder, starting):
    up = starting(folder, SWITCH="false")
    assert "sip" not in up.told
    up.until(lambda: up.answers(f"http://127.0.0.1:{up.api}/readyz"))
    assert up.pids("kamailio") == up.pids("switch run") == []


def test_started_as_root_the_switch_has_a_user_of_its_own_and_nobody_else_reads_its_files(folder, starting):
    up = starting(folder).wait()
    assert {owner(pid) for pid in up.pids("kamailio.cfg")} == {"kamailio"}
    home = modes(folder / "home")
    assert home["switch"] == "drwxr-x---"
    assert (folder / "home" / "switch").owner() == "kamailio"
    assert {name: home[name][4:] for name in ("peal.db", "peal.db-wal")} == {
        "peal.db": "r-----",
        "peal.db-wal": "r-----",
    }
    assert home["peal.db-shm"][-3:] == "---"
    assert (folder / "home" / "peal.db").group() == "kamailio"


def test_a_folder_that_keeps_the_switch_out_is_named_before_anything_is_made(folder, starting):
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    up = starting(closed)
    assert up.told is None
    assert up.process.wait(20) == 1
    assert f" {closed} lets nobody else pass" in up.log
    assert not (closed / "home" / "peal.db").exists()


def test_an_unprivileged_user_runs_all_of_it(folder, starting):
    account = pwd.getpwnam("nobody")
    (folder / "own").mkdir()
    os.chown(folder / "own", account.pw_uid, account.pw_gid)
    up = starting(folder / "own", *AS_NOBODY, *READS_ALL).wait()
    assert {owner(pid) for pid in up.processes()} == {"nobody"}
    with up.phone("101", up.told) as phone:
        assert phone.register().status == 200
    assert up.interrupt() == 0, up.log
