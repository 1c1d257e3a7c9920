"""Alembic's environment: always over a connection that `peal.db.migrate` hands in."""

from alembic import context

from peal.db.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
context.run_migrations()
