"""`peal switch`: the SIP service."""

import asyncio
import signal
import subprocess
from contextlib import suppress

import typer

from peal.cli import session
from peal.cli.output import Failure, Json, show
from peal.kit.logs import configure_logs
from peal.settings import Settings
from peal.switch import config
from peal.switch.intake import Intake
from peal.switch.node import Node

commands = typer.Typer(no_args_is_help=True, help="The SIP service.")


@commands.callback()
def _noun() -> None:
    """The SIP service."""


@commands.command("config")
def write_config(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Write Kamailio's configuration and say where it is."""
    settings = session.load(database_url=database)
    show({"file": str(config.write(settings))}, as_json=as_json)


@commands.command()
def check(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Write the configuration and let Kamailio check it."""
    file = config.write(session.load(database_url=database))
    done = subprocess.run(  # noqa: S603 - the program's name is ours
        ["/usr/sbin/kamailio", "-c", "-f", file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Failure(done.stderr[-2000:])
    show({"file": str(file), "valid": True}, as_json=as_json)


@commands.command()
def run(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Run Kamailio and forward its call events, until SIGTERM or SIGINT."""
    settings = session.load(database_url=database)
    configure_logs()
    session.run_loop(_serve(settings, as_json=as_json))


async def _serve(settings: Settings, *, as_json: bool) -> None:
    database = await session.open_database(settings)
    node = Node(settings)
    node.prepare()
    show({"sip": ", ".join(config.addresses(settings))}, as_json=as_json)
    forwarding = asyncio.create_task(Intake(node.folder / "spool.db", database).run())
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, lambda: loop.create_task(node.stop()))
    try:
        await node.run()
    finally:
        forwarding.cancel()
        with suppress(asyncio.CancelledError):
            await forwarding
        await database.close()
