"""`peal serve`: the API alone."""

import asyncio
import os
from typing import Annotated

import typer
from granian import loops
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import MPServer

from peal.cli import session
from peal.cli.output import Json, show
from peal.http import ending, guesses
from peal.settings import Settings, to_environment

DRAIN_SECONDS = 30
"""How long requests in flight may take to end when the service stops."""
commands = typer.Typer(add_completion=False)


@commands.command()
def serve(
    host: Annotated[str | None, typer.Option()] = None,
    port: Annotated[int | None, typer.Option()] = None,
    database: session.DatabaseOption = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer.")] = None,
    as_json: Json = False,
) -> None:
    """Serve the API until SIGTERM or SIGINT; requests in flight end."""
    settings = session.load(host=host, port=port, database_url=database, workers=workers)

    async def check() -> None:
        await (await session.open_database(settings)).close()

    session.run_loop(check())
    show({"url": url(settings)}, as_json=as_json)
    run(settings)


def url(settings: Settings) -> str:
    """Return where the API answers."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


class _Server(MPServer):
    """Tells its workers of the end before it waits for them."""

    def shutdown(self, exit_code: int = 0) -> None:
        ending.tell()
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]


@loops.register("auto")
def _loop() -> asyncio.AbstractEventLoop:
    made = ending.Loop()
    asyncio.set_event_loop(made)
    return made


def run(settings: Settings) -> None:
    """Start the workers and watch them."""
    os.environ.update(to_environment(settings))
    ending.prepare()
    guesses.prepare()
    _Server(
        "peal.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        factory=True,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
    ).serve()
