"""What Peal writes is nobody else's to read, whatever umask its commands are started with."""

import os
import pwd
import stat
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from parts import PEAL
from running import AS_NOBODY, READS_ALL

UMASKS = ["000", "022", "077"]
LOOSE, STRICT = "000", "077"
USERS = ["root", "nobody"]
PASSED = {"home"}
"Started as root: what Kamailio's and rtpengine's users pass."


def with_umask(umask: str) -> tuple[str, ...]:
    return ("sh", "-c", f'umask {umask} && exec "$@"', "sh")


def as_user(user: str, folder: Path) -> tuple[str, ...]:
    """What starts a command as that user, who has the folder."""
    if user == "root":
        return ()
    account = pwd.getpwnam(user)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return (*AS_NOBODY, *READS_ALL)


def too_open(folder: Path, user: str) -> dict[str, str]:
    """What lies there and more than its owner and group may read or pass, or these may write."""
    found = {}
    for each in (folder / "home", *(folder / "home").rglob("*")):
        mode = each.lstat().st_mode
        allowed = 0o750 if stat.S_ISDIR(mode) else 0o640
        if each.name in PASSED and user == "root":
            allowed = 0o711
        if each.name == "peal.db-shm" and user == "root":
            allowed = 0o660
        if stat.S_IMODE(mode) & ~allowed:
            found[str(each.relative_to(folder))] = stat.filemode(mode)
    return found


# Break: cli/__init__.py, `main`: without `keep_to_ourselves`; files.py: without `chmod`.
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("umask", [LOOSE, STRICT])
def test_a_start_makes_no_file_that_others_can_read(folder, starting, umask, user):
    before = (*as_user(user, folder), *with_umask(umask))
    up = starting(folder, *before).wait()
    with ExitStack() as stack:
        caller, callee = (stack.enter_context(up.phone(number, up.told)) for number in ("200", "100"))
        assert {phone.register().status for phone in (caller, callee)} == {200}
        call = caller.invite("100")
        callee.expect_invite().answer()
        assert call.final().status == 200
        up.until(lambda: (folder / "home" / "switch" / "dialog.db-wal").stat().st_size)
        assert too_open(folder, user) == {}
        assert call.bye().status == 200
    assert up.interrupt() == 0, up.log
    assert too_open(folder, user) == {}


COMMANDS = [
    ("migrate",),
    ("user", "create", "--admin", "--login", "root", "--password-stdin"),
    ("switch", "config"),
    ("switch", "check"),
]


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("umask", UMASKS)
def test_no_command_makes_a_file_that_others_can_read(folder, umask, user):
    before = (*as_user(user, folder), *with_umask(umask))
    home = folder / "above" / "home"
    for command in COMMANDS:
        subprocess.run(
            [*before, PEAL, *command],
            env={"PATH": os.environ["PATH"], "PEAL_HOME": str(home)},
            input=b"a long password\n",
            check=True,
            capture_output=True,
        )
        assert too_open(folder / "above", user) == {}
    assert {each.name for each in home.iterdir()} == {"peal.db", "switch"}


def test_a_folder_of_an_earlier_version_is_closed_at_the_next_start(folder, starting):
    switch = folder / "home" / "switch"
    switch.mkdir(parents=True)
    switch.chmod(0o755)
    own = as_user("nobody", folder / "home")
    os.chown(switch, *(folder / "home").stat()[4:6])
    starting(folder, *own).wait()
    assert stat.filemode(switch.stat().st_mode) == "drwxr-x---"
