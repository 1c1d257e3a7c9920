"""The receiver that docs/events.md shows, run as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
from parts import free_port, status_of, until

from peal.events.model import Due
from peal.events.sender import request
from peal.kit import dates

PAGE = Path(__file__).parent.parent.parent / "docs" / "events.md"
SECRET = "whsec_" + "S" * 32


def receiver(port: int) -> subprocess.Popen:
    [program] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    env = {"PATH": os.environ["PATH"], "SECRET": SECRET, "PORT": str(port)}
    started = subprocess.Popen(
        [sys.executable, "-c", program],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    until(lambda: status_of(f"http://127.0.0.1:{port}/") is not None)
    return started


def test_the_receiver_takes_what_peal_signs_once_and_refuses_all_else():
    port = free_port()
    url = f"http://127.0.0.1:{port}/events"
    told = {"EventType": "dial-in", "CallerIDName": "Ann & Böb", "CalledDID": ""}
    running = receiver(port)
    try:
        sent = request(url, Due(1, "a", 0, 7, 1, "POST", told, (SECRET,)), dates.now())
        headers = {name.decode(): value.decode() for name, value in sent.headers}
        body = "EventType=dial-in&CallerIDName=Ann+%26+B%C3%B6b&CalledDID="
        answers = [httpx.post(url, content=body, headers=headers).status_code for _ in range(2)]
        headers["Content-Length"] = str(len(body) + 2)
        answers.append(httpx.post(url, content=body + "&x", headers=headers).status_code)
        assert answers == [204, 204, 401]
    finally:
        running.terminate()
        printed = running.communicate(timeout=10)[0]
    assert printed == f"{told}\n"
