"""A command of Peal's that runs beside this one, for as long as this one does."""

import os
import signal
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
        self._pid: int | None = None
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
            if self._pid is not None:
                os.kill(self._pid, signal.SIGTERM)
        self._watching.join()

    def _watch(self) -> None:
        while not self._stopping.is_set():
            code: int | str | None
            try:
                code = self._run()
            except OSError as error:  # too little memory, too many processes: that may pass
                code = error.strerror
            if not self._stopping.is_set():
                log.error("ended_unasked", command=self._watching.name, code=code)
                self._stopping.wait(PAUSE_SECONDS)

    def _run(self) -> int | None:
        """Run the command until it ends, and return its exit code; None: it shall not begin."""
        if (pid := self._begin()) is None:
            return None
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return self._bury(pid)

    def _begin(self) -> int | None:
        """Start the command, unless it shall stop.

        Not by `subprocess`: that waits for the end of a pipe, which a worker of the API that is forked at
        that moment holds open for good. A session of its own: Ctrl-C is for us, who then end it.
        """
        with self._turn:
            if not self._stopping.is_set():
                quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
                self._pid = os.posix_spawnp(
                    self._command[0], self._command, self._environment, file_actions=quiet, setsid=True
                )
            return self._pid

    def _bury(self, pid: int) -> int:
        """Return its exit code; from now on its id may be another process's."""
        with self._turn:
            self._pid = None
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
