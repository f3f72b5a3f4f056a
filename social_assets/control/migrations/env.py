"""Alembic's environment: applies revisions on the connection that `control.migrate` gives.

The transaction belongs to the caller. Alembic runs this file; nothing imports it.
"""

from __future__ import annotations

from alembic import context

from social_assets.control.migrate import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
