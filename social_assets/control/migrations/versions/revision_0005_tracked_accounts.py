"""Tracked accounts, when each of their endpoints is due, and where its chains go on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "tracked_accounts",
        sa.Column("platform", sa.String(50), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("account_id", sa.String(200), nullable=True),
        sa.Column("priority", sa.String(10), nullable=False),
        sa.Column("every_seconds", sa.Integer, nullable=True),
        sa.Column("refresh_at", sa.String(5), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("paused_reason", sa.Text, nullable=True),
        sa.Column("paused_at", _TIME, nullable=True),
        sa.Column("tracked_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("platform", "name", name="pk_tracked_accounts"),
        sa.UniqueConstraint(
            "platform", "account_id", name="uq_tracked_accounts_platform_account_id"
        ),
    )
    op.create_table(
        "tracked_endpoints",
        sa.Column("platform", sa.String(50), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("endpoint", sa.String(100), nullable=False),
        sa.Column("is_daily", sa.Boolean, nullable=False),
        sa.Column("next_due_at", _TIME, nullable=False),
        sa.Column("next_refresh_at", _TIME, nullable=False),
        sa.Column("eligible_at", _TIME, nullable=True),
        sa.Column("last_collected_at", _TIME, nullable=True),
        sa.Column("last_failed_at", _TIME, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("platform", "name", "endpoint", name="pk_tracked_endpoints"),
        sa.ForeignKeyConstraint(
            ["platform", "name"],
            ["tracked_accounts.platform", "tracked_accounts.name"],
            name="fk_tracked_endpoints_platform_name",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_tracked_endpoints_platform_eligible_at",
        "tracked_endpoints",
        ["platform", "eligible_at"],
    )
    op.create_table(
        "chain_positions",
        sa.Column("platform", sa.String(50), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("endpoint", sa.String(100), nullable=False),
        sa.Column("parent_id", sa.String(200), nullable=False),
        sa.Column("since", sa.Text, nullable=True),
        sa.Column("resume", sa.Text, nullable=True),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint(
            "platform", "name", "endpoint", "parent_id", name="pk_chain_positions"
        ),
        sa.ForeignKeyConstraint(
            ["platform", "name", "endpoint"],
            ["tracked_endpoints.platform", "tracked_endpoints.name", "tracked_endpoints.endpoint"],
            name="fk_chain_positions_platform_name_endpoint",
            ondelete="CASCADE",
        ),
    )
