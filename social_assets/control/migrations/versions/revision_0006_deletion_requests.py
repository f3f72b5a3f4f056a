"""Requests to forget persons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "deletion_requests",
        sa.Column("id", sa.String(12), nullable=False),
        sa.Column("person_hash", sa.String(64), nullable=False),
        sa.Column("platform", sa.String(50), nullable=True),
        sa.Column("requested_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("done_at", _TIME, nullable=True),
        sa.Column("report", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deletion_requests"),
    )
