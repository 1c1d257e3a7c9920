"""rtpengine, beside the switch: relays the media of calls whose phones do not reach each other."""

import asyncio
import os
import pwd
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address

import structlog

from peal.settings import Settings
from peal.switch import config, node
from peal.switch.commands import HOST, answers, taking_commands

log = structlog.get_logger()
PROGRAM = "/usr/bin/rtpengine"
USER = "rtpengine"
PAUSE_SECONDS = 1.0
"""Between the death of one and the start of the next."""
READY_SECONDS = 3.0
SILENT_SECONDS = 3600
"""A call without a single packet in either direction for so long keeps its ports no longer."""


class Relay:
    """The relay of this machine."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self) -> None:
        """Run until cancelled; if it dies it is started again: calls that it relayed are silent then."""
        if self._settings.relay_media == "never":
            return
        async with taking_commands(config.home(self._settings), self._settings.relay_port, _switch_user()):
            while True:
                process = await asyncio.create_subprocess_exec(*self._command(), cwd="/")
                try:
                    code = await process.wait()
                finally:
                    await _end(process)
                log.error("relay_died", code=code)
                await asyncio.sleep(PAUSE_SECONDS)

    async def ready(self) -> None:
        """Wait until it answers: who asks too early takes it for away. Not for ever: calls go without it."""
        if self._settings.relay_media != "never":
            with suppress(TimeoutError):
                async with asyncio.timeout(READY_SECONDS):
                    while True:
                        if await answers(self._settings.relay_port):
                            return
                        await asyncio.sleep(0.02)

    def _command(self) -> list[str]:
        command = ["setpriv", "--pdeathsig", "TERM"]  # ends with this process, even by SIGKILL
        if os.getuid() == 0:
            account = pwd.getpwnam(USER)
            command += ["--reuid", USER, "--regid", str(account.pw_gid), "--clear-groups"]
        first, last = self._settings.rtp_range
        command += [PROGRAM, "--config-file=none", "--foreground", "--log-stderr", "--log-level=4"]
        command += ["--table=-1", "--num-threads=2"]
        command += [f"--listen-tcp-ng={HOST}:{self._settings.relay_port}"]
        places = zip(self._settings.sip_addresses, self._settings.public_addresses, strict=True)
        command += [f"--interface={name(each)}/{each}!{public}" for each, public in places]
        command += [f"--port-min={first}", f"--port-max={last}"]
        # a stream is expected from where the signalling said, and taken from where it really comes from
        command += ["--endpoint-learning=heuristic", "--delete-delay=0"]
        return [*command, f"--timeout={SILENT_SECONDS}", f"--silent-timeout={SILENT_SECONDS}"]


def _switch_user() -> tuple[int, int] | None:
    """Return user and group that the switch runs as; None: those of this process."""
    if os.getuid() != 0:
        return None
    account = pwd.getpwnam(node.USER)
    return account.pw_uid, account.pw_gid


def name(address: IPv4Address | IPv6Address) -> str:
    """Return what the relay calls its side at this address; media.cfg makes the same of it."""
    return str(address).replace(".", "_").replace(":", "_")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it at once: it keeps nothing, and may be hanging."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
