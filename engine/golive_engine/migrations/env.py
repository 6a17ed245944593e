"""Run by Alembic: applies the revisions on a connection that has its transaction and its lock already."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
context.run_migrations()
