"""The period that a report covers: a week from Monday, or a month, in the schedule's time zone.

Belongs here: calendar arithmetic of periods. Their partitions belong to `social_assets.defs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from social_assets.metrics.grain import Grain


@dataclass(frozen=True)
class Period:
    """Whole days of a time zone, from `first` to `last`, both included."""

    first: date
    last: date
    zone: str = "UTC"

    @property
    def start(self) -> datetime:
        """The first instant."""
        return datetime.combine(self.first, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the period."""
        after = self.last + timedelta(days=1)
        return datetime.combine(after, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def title(self) -> str:
        """Such as `23 to 29 November 2026`."""
        first, last = self.first, self.last
        if first.replace(day=1) == last.replace(day=1):
            return f"{first.day} to {last.day} {last:%B %Y}"
        if first.year == last.year:
            return f"{first.day} {first:%B} to {last.day} {last:%B %Y}"
        return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def period_of(grain: Grain, day: date, zone: str = "UTC") -> Period:
    """The week or month that holds a day."""
    if grain is Grain.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=6), zone)
    first = day.replace(day=1)
    return Period(first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1), zone)


def last_period(grain: Grain, now: datetime, zone: str = "UTC") -> Period:
    """The newest period that is over."""
    today = now.astimezone(ZoneInfo(zone)).date()
    return period_of(grain, period_of(grain, today, zone).first - timedelta(days=1), zone)
