"""What runs beside `peal up`, in a process that forks workers of its own."""

import json
import subprocess
import sys

PROGRAM = """
import os, signal, time
from peal.cli import child
from peal.settings import Settings

child.PAUSE_SECONDS = 0
beside = child.Child(Settings(), "--help")  # ends at once, and is started again
beside.start()
workers = []
for _ in range(400):
    worker = os.fork()
    if worker == 0:
        signal.pause()
    workers.append(worker)
    time.sleep(0.003)  # long enough for a start or two to begin in between
print("forked", flush=True)
beside.stop()
print("stopped", flush=True)
for worker in workers:
    os.kill(worker, signal.SIGKILL)
"""


# Break: child.py, `_begin`: `subprocess.Popen` for `posix_spawnp`.
def test_workers_that_are_forked_while_it_is_started_do_not_hold_it_up():
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        told, _ = running.communicate(timeout=20)
        assert [line for line in told.split() if line in (b"forked", b"stopped")] == [b"forked", b"stopped"]
    finally:
        subprocess.run(["/bin/kill", "-KILL", "--", f"-{running.pid}"], check=False, capture_output=True)
        running.communicate()


PROGRAM_OF_NO_PATH = """
import os, sys
from peal.cli import child
from peal.kit.logs import configure_logs
from peal.settings import Settings

configure_logs()
child.PAUSE_SECONDS = 0.1
path, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
beside = child.Child(Settings(), "--help")
beside.start()
sys.stdin.readline()
os.environ["PATH"] = path
sys.stdin.readline()
beside.stop()
"""


# Break: child.py, `_watch`: without `except OSError`: the watching thread ends.
def test_a_command_that_can_not_be_started_is_started_when_it_can():
    running = subprocess.Popen(
        [sys.executable, "-c", PROGRAM_OF_NO_PATH],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        for code in ("No such file or directory", 0):
            while json.loads(running.stderr.readline())["code"] != code:
                pass
            running.stdin.write("go on\n")
            running.stdin.flush()
        assert running.wait(20) == 0
    finally:
        running.kill()
        running.wait()
        running.stdin.close()
        running.stderr.close()
