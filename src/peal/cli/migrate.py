"""`peal migrate`."""

import typer

from peal.cli import session
from peal.cli.output import Json, show
from peal.db.migrate import migrate

commands = typer.Typer(add_completion=False)


@commands.command()
def migrate_command(database: session.DatabaseOption = None, as_json: Json = False) -> None:
    """Bring the database's schema up to date."""
    settings = session.load(database_url=database)

    async def run() -> str:
        opened = session.connect(settings)
        try:
            return await migrate(opened)
        finally:
            await opened.close()

    show({"revision": session.run_loop(run())}, as_json=as_json)
