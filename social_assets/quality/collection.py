"""How well a platform is collected: what is late, which accounts fail, quotas, ends of tokens.

Belongs here: what the checks of a platform compute, without Dagster. Their texts and severities
belong to `defs.collection.platform_checks`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.collection.credentials import CredentialRecord, PlatformCredentials
from social_assets.control.collection.tracked_account import DueEndpoint, TrackedAccount
from social_assets.control.collection.tracked_accounts import TrackedAccounts
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.quota import QuotaUse, quota_uses

LATE = timedelta(minutes=15)
"""An endpoint that has been due for longer is late."""
VERY_LATE = timedelta(hours=6)
ENDING = timedelta(days=7)
"""A credential that ends within this time needs a person."""
MOST_LATE = 1_000
"""So many late endpoints are counted."""


@dataclass(frozen=True)
class CredentialEnd:
    """A credential that works no more, or ends soon: why, or when."""

    credential: CredentialRecord
    revoked_reason: str | None
    ends_at: datetime | None

    def has_ended(self, at: datetime) -> bool:
        """Whether it works no more."""
        return self.revoked_reason is not None or (self.ends_at is not None and self.ends_at <= at)


@dataclass(frozen=True)
class PlatformState:
    """What is known of a platform at a time, without a call to it."""

    at: datetime
    accounts: Sequence[TrackedAccount]
    late: Sequence[DueEndpoint]
    """The longest due first, MOST_LATE at most."""
    quotas: Sequence[QuotaUse]
    ending: Sequence[CredentialEnd]

    @property
    def paused(self) -> list[TrackedAccount]:
        """The accounts that only a person can help."""
        return [each for each in self.accounts if each.paused_reason is not None]

    @property
    def failing(self) -> list[TrackedAccount]:
        """The accounts of which something failed at its last collection."""
        return [each for each in self.accounts if each.problem is not None]


def platform_state(home: Home, engine: Engine, connector: Connector, at: datetime) -> PlatformState:
    """Read the state of a platform from the operational store and the budgets of a home."""
    tracked, platform = TrackedAccounts(engine), connector.platform
    credentials = PlatformCredentials(engine, home).list(platform)
    ends = [CredentialEnd(each, each.revoked_reason, each.final_expires_at) for each in credentials]
    return PlatformState(
        at,
        tracked.list(platform),
        tracked.due(platform, at - LATE, MOST_LATE),
        quota_uses(home, engine, connector, lambda: at),
        [each for each in ends if each.has_ended(at + ENDING)],
    )
