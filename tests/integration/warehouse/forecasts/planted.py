"""Engagement by day and hour that is planted, on a real warehouse.

Belongs here: rows that several tests of forecasts use. One row has the engagement of a step.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.integration.warehouse.conftest import Row
from tests.unit.forecasts.planted import hourly, weekly

LAST = datetime(2026, 6, 30, tzinfo=UTC)
"""The day of the newest events: it is not complete."""
DAYS = 60
"""One window of the backtest. Each day is a partition of many tables, so more take long."""


def event(at: datetime, value: float, account: str, platform: str = "X") -> Row:
    return {
        "event_id": f"{platform}/{account}/{at:%m%d%H}",
        "event_time": at,
        "platform": platform,
        "account_id": account,
        "post_id": "p1",
        "user_id": "u1",
        "metric_type": "like",
        "value": value,
    }


def by_day(account: str, platform: str = "X", *, spike: float = 1, seed: int = 0) -> list[Row]:
    """A week's season of DAYS complete days; the last of them has `spike` times its value."""
    values = weekly(DAYS, seed=seed)
    values[-1] *= spike
    return [
        event(LAST - timedelta(days=DAYS - n) + timedelta(hours=12), value, account, platform)
        for n, value in enumerate(values)
    ]


def newest(account: str, platform: str = "X") -> Row:
    """The event that makes the days before it complete."""
    return event(LAST + timedelta(hours=23), 1.0, account, platform)


def by_hour(account: str, platform: str = "X", hours: int = 480) -> list[Row]:
    end = LAST + timedelta(hours=22)
    return [
        event(end - timedelta(hours=hours - n), value, account, platform)
        for n, value in enumerate(hourly(hours))
    ]
