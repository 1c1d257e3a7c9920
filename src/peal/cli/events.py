"""`peal events`: delivering what subscribers are told."""

import resource

import structlog
import typer

from peal.cli import session
from peal.cli.output import Json, show
from peal.db.engine import Database
from peal.events import retention
from peal.events.deliverer import Deliverer
from peal.events.sender import Sender
from peal.kit.logs import configure_logs
from peal.kit.tasks import beside
from peal.settings import Settings

log = structlog.get_logger()
CONNECTIONS = 4
"""To the database: rounds are many, what they ask of it is short."""
commands = typer.Typer(no_args_is_help=True, add_completion=False, help="What subscribers are told.")


@commands.callback()
def _noun() -> None:
    """What subscribers are told."""


@commands.command()
def run(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Deliver events to their subscribers, until SIGTERM or SIGINT; requests in flight end."""
    settings = session.load(database_url=database)
    configure_logs()
    _open_as_many_files_as_may_be()
    session.run_loop(_deliver(settings, as_json=as_json))


def _open_as_many_files_as_may_be() -> None:
    """Raise the limit as far as the system allows: subscribers have several connections each."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _deliver(settings: Settings, *, as_json: bool) -> None:
    await (await session.open_database(settings)).close()
    database = Database(settings.database, connections=CONNECTIONS)
    try:
        async with (
            beside(retention.run(database, settings.events_days)),
            Sender(settings.private_targets, settings.events_seconds) as sender,
        ):
            deliverer = Deliverer(database, sender, settings.events_seconds)
            session.on_stop(deliverer.stop)
            show({"delivers_from": str(database.url)}, as_json=as_json)
            await deliverer.run()
    finally:
        await database.close()
