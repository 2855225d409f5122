"""Run by Alembic for every command, on the connection and in the transaction that ``schema`` hands over."""

from alembic import context

from coinswarm.memory.store import models, tables
from coinswarm.memory.store.columns import Base

assert models.Trade.metadata is tables.LogRow.metadata is Base.metadata  # imported, so that all tables are known

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by making another
    compare_server_default=True,
)
context.run_migrations()
