"""When a row of features becomes known: the SELECTs of histories.

Belongs here: the two kinds of history. A history has one row an entity and time at which a feature
changes: `known_at`, from which on it may be used, `expires_at`, and a column a feature. So the
value at a time is that of the newest row that is known by then, which ASOF JOIN finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from social_assets.features.feature import Feature, Mean, Since, Sum

KNOWN_AT, EXPIRES_AT = "known_at", "expires_at"


@dataclass(frozen=True)
class DailyTable:
    """A table with days, keys of platforms and entities, and SQL of what each row adds.

    `measures` that a table does not have are 0 in it.
    """

    table: str
    measures: tuple[tuple[str, str], ...]
    condition: str = "1"


@dataclass(frozen=True)
class DailyWindows:
    """Sums over the last days. What a day adds is known when its rows are final, 00:00 UTC.

    A day's measure joins each sum on that day and leaves it when the days are over; so the history
    has a row at both, and a sum is exact on every day between. Counts are integers and measures
    decimals: no order of rows changes a sum.
    """

    tables: tuple[DailyTable, ...]
    counts: tuple[str, ...]
    amounts: tuple[str, ...] = ()
    """Measures with fractions; they must be small: 12 digits before the point."""
    known_after_days: int = 1
    """How many days after its day a row is final, 00:00 UTC: 1 is the end of its own day."""

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures."""
        return (*self.counts, *self.amounts)

    def days_read(self, time_to_live: timedelta, features: Sequence[Feature]) -> timedelta:
        """How far back a value depends on rows."""
        longest = max((days for _, days in _windows(features)), default=0)
        return max(time_to_live, timedelta(days=longest)) + timedelta(days=self.known_after_days)

    def known_between(self, after: datetime, until: datetime, features: Sequence[Feature]) -> str:
        """SQL of the rows that change a value by time alone; empty if none can."""
        midnights = [after.date() + timedelta(days=n + 1) for n in range((until - after).days + 2)]
        ended = [each for each in midnights if each <= until.date()]
        offsets = {0, *(days for _, days in _windows(features))}
        days = sorted(
            {each - timedelta(days=self.known_after_days + n) for each in ended for n in offsets}
        )
        listed = ", ".join(f"'{day}'" for day in days)
        return f"event_date IN ({listed})" if days else ""

    def daily(self, key: str, only: str) -> str:
        """A SELECT of the measures: one row a day, platform and entity."""
        parts = []
        for each in self.tables:
            given = dict(each.measures)
            columns = [
                f"{self._cast(name, given.get(name, '0'))} AS m_{name}" for name in self.measures
            ]
            parts.append(
                f"SELECT event_date, platform_key, {key}, {', '.join(columns)}\n"
                f"FROM {each.table} WHERE ({each.condition}) AND ({only})"
            )
        sums = ", ".join(f"sum(m_{name}) AS {name}" for name in self.measures)
        return (
            f"SELECT event_date, platform_key, {key}, {sums}\n"
            f"FROM ({' UNION ALL '.join(parts)})\nGROUP BY event_date, platform_key, {key}"
        )

    def select(
        self, key: str, features: Sequence[Feature], time_to_live: timedelta, only: str
    ) -> str:
        """The SELECT of the history of the entities and days that `only` keeps."""
        windows, after = _windows(features), self.known_after_days
        offsets = sorted({0, *(days for _, days in windows)})
        steps = ", ".join(
            f"sum(multiIf(later = 0, {name}, later = {days}, -{name}, 0)) AS {name}_{days}"
            for name, days in windows
        )
        running = ", ".join(f"sum({name}_{days}) OVER w AS {name}_{days}" for name, days in windows)
        shown = ",\n  ".join(f"{_value(each)} AS {each.name}" for each in features)
        return (
            f"SELECT platform_key, {key},\n"
            f"  toDateTime64(changed_on + {after}, 6, 'UTC') AS {KNOWN_AT},\n"
            f"  toDateTime64(last_day + {after}, 6, 'UTC')\n"
            f"    + toIntervalSecond({_seconds(time_to_live)}) AS {EXPIRES_AT},\n  {shown}\n"
            f"FROM (SELECT changed_on, platform_key, {key}, max(active_on) OVER w AS last_day,\n"
            f"  {running}\n"
            f"FROM (SELECT event_date + later AS changed_on, platform_key, {key},\n"
            f"  max(if(later = 0, event_date, toDate(0))) AS active_on, {steps}\n"
            f"FROM ({self.daily(key, only)})\nARRAY JOIN {offsets} AS later\n"
            f"GROUP BY changed_on, platform_key, {key})\n"
            f"WINDOW w AS (PARTITION BY platform_key, {key} ORDER BY changed_on\n"
            "  ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))"
        )

    def _cast(self, name: str, sql: str) -> str:
        return f"toInt64({sql})" if name in self.counts else f"toDecimal128({sql}, 6)"


@dataclass(frozen=True)
class EventHistory:
    """Rows that are known right after an event, by a SELECT of the view's own.

    `text` has `{only}` where rows are chosen. It gives `platform_key`, the entity's key,
    `event_time`, and a column a feature.
    """

    text: str

    def days_read(self, time_to_live: timedelta, features: Sequence[Feature]) -> timedelta:
        """How far back a value depends on rows."""
        del features
        return time_to_live + timedelta(days=1)

    def known_between(self, after: datetime, until: datetime, features: Sequence[Feature]) -> str:
        """SQL of the rows that become known by time alone: events that were in the future."""
        del features
        first, last = after.astimezone(UTC), until.astimezone(UTC)
        return (
            f"event_date BETWEEN '{first:%Y-%m-%d}' AND '{last:%Y-%m-%d}'"
            f" AND event_time >= toDateTime64('{first:%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
        )

    def select(
        self, key: str, features: Sequence[Feature], time_to_live: timedelta, only: str
    ) -> str:
        """The SELECT of the history. An event does not know itself: it is known a moment later."""
        shown = ", ".join(each.name for each in features)
        return (
            f"SELECT platform_key, {key}, event_time + toIntervalMicrosecond(1) AS {KNOWN_AT},\n"
            f"  event_time + toIntervalSecond({_seconds(time_to_live)}) AS {EXPIRES_AT}, {shown}\n"
            f"FROM ({self.text.replace('{only}', only)})"
        )


History = DailyWindows | EventHistory


def _windows(features: Sequence[Feature]) -> list[tuple[str, int]]:
    found = {
        pair for each in features if isinstance(each.of, Sum | Mean) for pair in each.of.measures
    }
    return sorted(found)


def _value(feature: Feature) -> str:
    of = feature.of
    if isinstance(of, Mean):
        count = f"nullIf({of.count}_{of.days}, 0)"
        return f"toFloat64({of.total}_{of.days}) / toFloat64({count})"
    if isinstance(of, Since):
        return "toDateTime64(last_day, 6, 'UTC')"
    if isinstance(of, Sum):
        kind = feature.type.of_clickhouse.removeprefix("Nullable(").removesuffix(")")
        return f"to{kind}({of.measure}_{of.days})"
    raise TypeError(f"feature {feature.name}: daily windows have no column of their own")


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
