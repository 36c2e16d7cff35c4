"""Alembic runs this file, which applies the steps on the connection that it was given."""

from alembic import context

from pushdeploy.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],  # in a transaction already
    target_metadata=METADATA,
)
with context.begin_transaction():
    context.run_migrations()
