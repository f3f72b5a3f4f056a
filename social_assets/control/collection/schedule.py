"""When an endpoint of an account is collected: plans, intervals, daily refreshes, collection slots.

Belongs here: what a person may decide about it, and the arithmetic of times, without a store and
without SQLAlchemy.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from social_assets.control.reports.cron import check_time_zone

_T = TypeVar("_T")

DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_INTERVAL = re.compile(r"(\d{1,6})\s*([smhd])", re.ASCII)
_UNITS = {"d": DAY, "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_SHORTEST = timedelta(seconds=10)


class Priority(StrEnum):
    """How often an account is collected, unless it has an interval of its own."""

    HIGH = "high"
    STANDARD = "standard"
    LOW = "low"

    @property
    def interval(self) -> timedelta:
        """The time between two collections; a day means the daily refresh alone."""
        return _INTERVALS[self]


_INTERVALS = {
    Priority.HIGH: timedelta(seconds=60),
    Priority.STANDARD: timedelta(minutes=15),
    Priority.LOW: DAY,
}


@dataclass(frozen=True)
class CollectionPlan:
    """What a person decides about a tracked account. Raises ValueError for what cannot work."""

    priority: Priority = Priority.STANDARD
    every: timedelta | None = None
    """An interval of its own; None: the priority's."""
    refresh_at: str = "02:00"
    """The time of the daily full refresh, which collects every endpoint from its beginning."""
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if not _CLOCK.fullmatch(self.refresh_at):
            raise ValueError(f"{self.refresh_at!r} is no time of the day such as 02:00")
        check_time_zone(self.time_zone)
        if self.every is not None and not _SHORTEST <= self.every <= DAY:
            raise ValueError(
                f"an interval of {self.every.total_seconds():g} s is not between "
                f"{_SHORTEST.total_seconds():g} s and a day"
            )

    @property
    def interval(self) -> timedelta:
        """The time between two collections."""
        return self.every or self.priority.interval

    def refresh_after(self, at: datetime) -> datetime:
        """The first full refresh after a time."""
        hour, minute = map(int, self.refresh_at.split(":"))
        zone = _zone(self.time_zone)
        day = at.astimezone(zone).date()
        # A day's refresh may be before `at`; in a night of daylight saving, by an hour more.
        for later in range(-1, 3):
            found = _at(day + later * timedelta(days=1), time(hour, minute), zone)
            if found > at:
                return found
        raise AssertionError(f"no refresh follows {at}")


@dataclass(frozen=True)
class PlanChange:
    """What a person says about the plan of an account; None: nothing. Raises ValueError."""

    priority: Priority | None = None
    every: timedelta | None = None
    refresh_at: str | None = None
    time_zone: str | None = None

    def __post_init__(self) -> None:
        self.applied_to(CollectionPlan())

    def applied_to(self, plan: CollectionPlan) -> CollectionPlan:
        """The plan with this change. A priority ends an interval of the account's own."""
        every = plan.every if self.priority is None else None
        return CollectionPlan(
            _first(self.priority, plan.priority),
            every if self.every is None else self.every,
            _first(self.refresh_at, plan.refresh_at),
            _first(self.time_zone, plan.time_zone),
        )

    def or_else(self, other: PlanChange) -> PlanChange:
        """What this change says, and what only the other one says."""
        every = other.every if self.priority is None else None
        return PlanChange(
            self.priority or other.priority,
            every if self.every is None else self.every,
            other.refresh_at if self.refresh_at is None else self.refresh_at,
            other.time_zone if self.time_zone is None else self.time_zone,
        )


def parse_priority(text: str) -> Priority:
    """Read `high`, `standard` or `low`. Raises ValueError."""
    try:
        return Priority(text.casefold())
    except ValueError:
        known = ", ".join(Priority)
        raise ValueError(f"{text!r} is no priority; there are {known}") from None


def parse_interval(text: str) -> timedelta:
    """Read a time such as `90s`, `5m` or `6h`. Raises ValueError."""
    found = _INTERVAL.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no interval such as 90s, 5m or 6h")
    return int(found[1]) * _UNITS[found[2]]


def interval_text(interval: timedelta) -> str:
    """An interval of whole seconds as `parse_interval` reads it."""
    unit = next(name for name, size in _UNITS.items() if interval % size == timedelta())
    return f"{interval // _UNITS[unit]}{unit}"


def slot(at: datetime, interval: timedelta) -> datetime:
    """The collection slot of a time: the time truncated to the interval.

    Snapshots have their slot as time of collection, so that a repeated collection is a duplicate.
    """
    return _EPOCH + (at - _EPOCH) // interval * interval


def due_after(due: datetime, interval: timedelta, collected_at: datetime) -> datetime:
    """When an endpoint that was due at `due` is due again after it was collected.

    It keeps its place in the interval, so accounts stay spread over time. The next time is later
    than the collection and in another slot. Repeating it changes nothing.
    """
    if due > collected_at and slot(due, interval) > slot(collected_at, interval):
        return due
    due += ((collected_at - due) // interval + 1) * interval
    if slot(due, interval) <= slot(collected_at, interval):
        due += interval
    return due


def back_off(failures: int) -> timedelta:
    """How long an endpoint waits after that many failures in succession, at most an hour."""
    return min(timedelta(minutes=1 << min(failures - 1, 10)), timedelta(hours=1))


def _first(said: _T | None, otherwise: _T) -> _T:
    return otherwise if said is None else said


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
