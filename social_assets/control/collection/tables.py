"""The tables of collection in the operational store.

Belongs here: only the columns. `tracked_accounts` is what people set, `tracked_endpoints` when each
endpoint of an account is due, `chain_positions` where the chains of an endpoint go on.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from social_assets.control.schema import METADATA, UtcTime

TRACKED_ACCOUNTS = Table(
    "tracked_accounts",
    METADATA,
    Column("platform", String(50), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("account_id", String(200)),
    Column("priority", String(10), nullable=False),
    Column("every_seconds", Integer),
    Column("refresh_at", String(5), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("paused_reason", Text),
    Column("paused_at", UtcTime),
    Column("tracked_at", UtcTime, nullable=False),
    UniqueConstraint("platform", "account_id"),
)

TRACKED_ENDPOINTS = Table(
    "tracked_endpoints",
    METADATA,
    Column("platform", String(50), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("endpoint", String(100), primary_key=True),
    Column("is_daily", Boolean, nullable=False),
    Column("next_due_at", UtcTime, nullable=False),
    Column("next_refresh_at", UtcTime, nullable=False),
    # The earlier of the two; later after a failure; null while the account is paused.
    Column("eligible_at", UtcTime),
    Column("last_collected_at", UtcTime),
    Column("last_failed_at", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("problem", Text),
    ForeignKeyConstraint(
        ["platform", "name"],
        ["tracked_accounts.platform", "tracked_accounts.name"],
        ondelete="CASCADE",
    ),
    # What is due is found without a look at what is not.
    Index("ix_tracked_endpoints_platform_eligible_at", "platform", "eligible_at"),
)

CHAIN_POSITIONS = Table(
    "chain_positions",
    METADATA,
    Column("platform", String(50), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("endpoint", String(100), primary_key=True),
    # The post that the chain is about; "" for the account itself.
    Column("parent_id", String(200), primary_key=True),
    Column("since", Text),
    Column("resume", Text),
    Column("updated_at", UtcTime, nullable=False),
    ForeignKeyConstraint(
        ["platform", "name", "endpoint"],
        ["tracked_endpoints.platform", "tracked_endpoints.name", "tracked_endpoints.endpoint"],
        ondelete="CASCADE",
    ),
)
