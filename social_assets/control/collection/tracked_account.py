"""A tracked account, what of it is due, and what became of a chain: values.

Belongs here: no access to the store. That is in `tracked_accounts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Row

from social_assets.control.collection.schedule import CollectionPlan, Priority


@dataclass(frozen=True)
class TrackedAccount:
    """An account that is collected, as a person named it."""

    platform: str
    name: str
    """The id or handle that was typed."""
    account_id: str | None
    """The platform's own id, once it is known."""
    plan: CollectionPlan
    paused_reason: str | None
    paused_at: datetime | None
    tracked_at: datetime
    last_collected_at: datetime | None = None
    next_due_at: datetime | None = None
    """None while it is paused, and before its endpoints are known."""
    problem: str | None = None
    """Why an endpoint failed at its last collection."""


@dataclass(frozen=True)
class TrackedCounts:
    """What became of accounts that were to be tracked."""

    new: int
    changed: int
    """Tracked before, by another plan."""
    unchanged: int


@dataclass(frozen=True)
class DueEndpoint:
    """An endpoint of an account that is to be collected now."""

    platform: str
    name: str
    account_id: str | None
    endpoint: str
    due_at: datetime
    is_refresh: bool
    """Whether it is the daily full refresh, which begins without a mark."""
    plan: CollectionPlan
    due_since: datetime
    """When it became due; `due_at` is later if it failed since."""


@dataclass(frozen=True)
class ChainPlace:
    """Where a chain goes on, and when it was collected last."""

    since: str | None = None
    resume: str | None = None
    collected_at: datetime | None = None

    @property
    def turn(self) -> float:
        """Orders chains: the one that was collected longest ago is first, before it a new one."""
        return 0.0 if self.collected_at is None else self.collected_at.timestamp()


@dataclass(frozen=True)
class Collected:
    """What became of a chain. `problem` says why it failed; None: it did not."""

    platform: str
    name: str
    endpoint: str
    parent_id: str
    """The post that the chain is about; "" for the account itself."""
    since: str | None
    resume: str | None
    collected_at: datetime
    problem: str | None = None
    is_refresh: bool = False
    """As in the DueEndpoint that was collected."""
    is_last: bool = True
    """Whether the endpoint is collected: no other chain of it follows in this collection."""


def plan_of(row: Row[tuple[object, ...]]) -> CollectionPlan:
    """What a person decided, from a row of `tracked_accounts`."""
    every = None if row.every_seconds is None else timedelta(seconds=row.every_seconds)
    return CollectionPlan(Priority(row.priority), every, row.refresh_at, row.time_zone)
