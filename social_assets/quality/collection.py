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
class PlatformState:
    """What is known of a platform at a time, without a call to it."""

    at: datetime
    accounts: Sequence[TrackedAccount]
    late: Sequence[DueEndpoint]
    """The longest due first, MOST_LATE at most."""
    quotas: Sequence[QuotaUse]
    ending: Sequence[CredentialRecord]
    """The credentials that work no more, or end within ENDING."""

    @property
    def paused(self) -> list[TrackedAccount]:
        """The accounts that only a person can help."""
        return [each for each in self.accounts if each.paused_reason is not None]

    @property
    def failing(self) -> list[TrackedAccount]:
        """The accounts of which something failed at its last collection."""
        return [each for each in self.accounts if each.problem is not None]

    @property
    def unknown(self) -> list[TrackedAccount]:
        """The accounts that were tracked a while ago, and whose id was not found since then."""
        before = self.at - LATE
        return [
            each
            for each in self.accounts
            if each.account_id is None and each.paused_at is None and each.tracked_at < before
        ]


def platform_state(home: Home, engine: Engine, connector: Connector, at: datetime) -> PlatformState:
    """Read the state of a platform from the operational store and the budgets of a home."""
    tracked, platform = TrackedAccounts(engine), connector.platform
    credentials = PlatformCredentials(engine, home).list(platform)
    return PlatformState(
        at,
        tracked.list(platform),
        tracked.due(platform, at - LATE, MOST_LATE),
        quota_uses(home, engine, connector, lambda: at),
        [each for each in credentials if has_ended(each, at + ENDING)],
    )


def has_ended(credential: CredentialRecord, at: datetime) -> bool:
    """Whether a credential works no more at a time, and only a person can renew it."""
    ends_at = credential.final_expires_at
    return not credential.is_active or (ends_at is not None and ends_at <= at)
