"""Credentials of platforms."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "platform_credentials",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("platform", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("account_id", sa.String(200), nullable=True),
        sa.Column("app", sa.String(200), nullable=False),
        sa.Column("revoked_reason", sa.Text, nullable=True),
        sa.Column("access_expires_at", _TIME, nullable=True),
        sa.Column("final_expires_at", _TIME, nullable=True),
        sa.Column("obtained_at", _TIME, nullable=False),
        sa.Column("refresh_began_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_platform_credentials"),
        sa.UniqueConstraint("platform", "name", name="uq_platform_credentials_platform_name"),
    )
    op.create_index(
        "ix_platform_credentials_platform_account_id",
        "platform_credentials",
        ["platform", "account_id"],
    )
