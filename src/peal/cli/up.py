"""`peal up`: everything, with one command."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import typer

from peal.cli import first, serve, session
from peal.cli.child import Child
from peal.cli.output import Failure, Json, show
from peal.db.work import Actor, writing
from peal.kit.files import make_folder
from peal.kit.logs import configure_logs
from peal.settings import Settings, SettingsError
from peal.switch import config
from peal.switch.node import require_reachable

commands = typer.Typer(add_completion=False)


@commands.command()
def up(as_json: Json = False) -> None:
    """Start Peal; on the first start make a demo client and print its credentials, once."""
    settings = session.load()
    configure_logs()
    if settings.switch:
        _require_reachable(settings)  # before anything is made that is shown only once
    made = session.run_loop(_prepare(settings))
    title = "Peal is starting" + (" for the first time" if made else "")
    show({**_addresses(settings), **made}, as_json=as_json, title=title)
    with ExitStack() as stack:
        if settings.switch:
            _start(stack, Child(settings, "switch", "run"))
        _start(stack, Child(settings, "events", "run"))
        serve.run(settings)


def _start(stack: ExitStack, child: Child) -> None:
    stack.callback(child.stop)
    child.start()


def _require_reachable(settings: Settings) -> None:
    try:
        make_folder(Path(settings.home).resolve())
        require_reachable(settings)
    except (SettingsError, OSError) as error:
        raise Failure(str(error)) from error


async def _prepare(settings: Settings) -> dict[str, Any]:
    database = await session.open_database(settings)
    try:
        async with writing(database, Actor()) as work:
            return await first.start(work, settings.emergencies)
    finally:
        await database.close()


def _addresses(settings: Settings) -> dict[str, Any]:
    base = serve.url(settings)
    urls = {"api": f"{base}/api/ver1.0/", "api_browser": f"{base}/api/ver1.0/client_api_explorer/"}
    return urls | ({"sip": ", ".join(config.addresses(settings))} if settings.switch else {})
