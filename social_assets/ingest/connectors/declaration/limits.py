"""How often a platform may be called, and what a call costs.

Belongs here: the declared limits and their windows. Counting calls belongs to `budgets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo


class Scope(Enum):
    """Whose calls count together."""

    CREDENTIAL = "credential"
    """Those made with one token."""
    APP = "app"
    """Those of all tokens of one app (a project, at Google): more tokens do not help."""


@dataclass(frozen=True)
class Rolling:
    """A window that slides: calls of the last `seconds` count."""

    seconds: float


@dataclass(frozen=True)
class CalendarDay:
    """A window that begins at midnight of a time zone."""

    zone: str = "UTC"

    def begin(self, at: datetime) -> datetime:
        """When the window of a moment began."""
        midnight = at.astimezone(ZoneInfo(self.zone)).replace(
            hour=0, minute=0, second=0, microsecond=0, fold=0
        )
        return midnight.astimezone(UTC)

    def end(self, at: datetime) -> datetime:
        """When the next window begins: the next midnight, also if a day has 23 or 25 hours."""
        local = at.astimezone(ZoneInfo(self.zone))
        return self.begin(
            (local.replace(hour=12, tzinfo=None) + timedelta(days=1)).replace(
                tzinfo=ZoneInfo(self.zone)
            )
        )


@dataclass(frozen=True)
class CalendarMonth:
    """A window that begins on the first of a month, in UTC."""

    def begin(self, at: datetime) -> datetime:
        """When the window of a moment began."""
        return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    def end(self, at: datetime) -> datetime:
        """When the next window begins."""
        return self.begin(self.begin(at) + timedelta(days=32))


RateWindow = Rolling | CalendarDay | CalendarMonth


@dataclass(frozen=True)
class Limit:
    """At most `calls` (or units of cost) in a window, counted by scope, and by endpoint if so."""

    calls: int
    window: RateWindow
    scope: Scope = Scope.CREDENTIAL
    by_endpoint: bool = False


@dataclass(frozen=True)
class MoneyLimit:
    """At most so many US dollars in a window. `setting` names the variable that changes it."""

    dollars: float
    window: CalendarDay | CalendarMonth
    setting: str


@dataclass(frozen=True)
class Price:
    """What an answer costs in US dollars: for the call, and for each record in it."""

    a_call: float = 0.0
    a_record: float = 0.0


@dataclass(frozen=True)
class PercentHeaders:
    """Headers that say how many percent of a rolling window are used (Meta).

    `app` holds an object of percents; `account` an object of lists of them by account, with
    `estimated_time_to_regain_access` in minutes.
    """

    app: str = "x-app-usage"
    account: str = "x-business-use-case-usage"


@dataclass(frozen=True)
class RemainingHeaders:
    """Headers that say how many calls are left, and at which Unix second the window ends (X)."""

    limit: str = "x-rate-limit-limit"
    remaining: str = "x-rate-limit-remaining"
    reset: str = "x-rate-limit-reset"


UsageHeaders = PercentHeaders | RemainingHeaders
