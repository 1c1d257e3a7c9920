"""`peal up`, as a newcomer and as an operator start it."""

import os
import pwd
import signal
import stat
from contextlib import ExitStack
from pathlib import Path

from running import AS_NOBODY, READS_ALL


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


# Break: first.py, _phones: `main = 100`.
def test_the_demo_has_no_extension_with_an_emergency_number(folder, starting):
    up = starting(folder, SWITCH="false", EMERGENCY_NUMBERS="101,102,103,300,112")
    phones = sorted(name for name in up.told if name.startswith("phone_"))
    assert phones == ["phone_400", "phone_401", "phone_402", "phone_500"]


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
