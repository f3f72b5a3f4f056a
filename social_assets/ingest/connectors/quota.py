"""How much of each limit is used now: for checks and for people.

Belongs here: reading the budgets of a home. Reserving calls belongs to `engine.budgets`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from resources.settings.home import Home
from social_assets.control.collection.credentials import PlatformCredentials
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.engine import usage
from social_assets.ingest.connectors.engine.budgets import Budgets


@dataclass(frozen=True)
class QuotaUse:
    """One limit: what counts in it (`bucket`), and how much of it is used.

    `blocked_until` is set while the platform refuses calls of it.
    """

    platform: str
    bucket: str
    used: float
    most: float
    is_money: bool
    blocked_until: datetime | None

    @property
    def left(self) -> float:
        """What is left, from 0 to 1."""
        return max(0.0, 1 - self.used / self.most) if self.most else 0.0


def quota_uses(
    home: Home,
    engine: Engine,
    connector: Connector,
    clock: Callable[[], datetime] | None = None,
) -> tuple[QuotaUse, ...]:
    """The limits of a platform that calls were counted in, least left first."""
    budgets = Budgets(home, clock)
    try:
        known = budgets.known()
        found = {}
        for credential in PlatformCredentials(engine, home).list(connector.platform):
            for endpoint in connector.endpoints:
                blocks = usage.blocks_of(connector, endpoint, credential)
                blocked = [budgets.blocked_until(each) for each in blocks if each in known]
                until = max((each for each in blocked if each), default=None)
                for charge in usage.charges_of(connector, endpoint, credential, endpoint.cost):
                    if charge.bucket in known and charge.bucket not in found:
                        used, most = budgets.used(charge)
                        found[charge.bucket] = QuotaUse(
                            connector.platform, charge.bucket, used, most, charge.is_money, until
                        )
    finally:
        budgets.close()
    return tuple(sorted(found.values(), key=lambda each: each.left))
