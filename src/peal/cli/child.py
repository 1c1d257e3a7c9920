"""A command of Peal's that runs beside this one, for as long as this one does."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import structlog

from peal.settings import Settings, to_environment

log = structlog.get_logger()
PEAL = Path(sys.executable).with_name("peal")
PAUSE_SECONDS = 2.0
"""Before a command that ended unasked is started again."""


class Child:
    """One such command. Its standard output is nobody's; its log is ours."""

    def __init__(self, settings: Settings, *arguments: str) -> None:
        self._environment = os.environ | to_environment(settings)
        # not even kill -9 of this process leaves it behind
        self._command = ["setpriv", "--pdeathsig", "TERM", str(PEAL), *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._watching = threading.Thread(target=self._watch, name=" ".join(arguments))

    def start(self) -> None:
        """Start it, and watch it."""
        self._watching.start()

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        with self._turn:
            self._stopping.set()
            if self._process:
                self._process.terminate()
        self._watching.join()

    def _watch(self) -> None:
        while process := self._begin():
            code = process.wait()
            if not self._stopping.is_set():
                log.error("ended_unasked", command=self._watching.name, code=code)
                self._stopping.wait(PAUSE_SECONDS)

    def _begin(self) -> "subprocess.Popen[bytes] | None":
        with self._turn:
            if self._stopping.is_set():
                return None
            # a session of its own: Ctrl-C is for us, who then end it
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._command, stdout=subprocess.DEVNULL, env=self._environment, start_new_session=True
            )
            return self._process
