"""Rollup rows of engagement as 10 million events a day would leave them, without the events.

Belongs here: generating. Accounts differ in size by Zipf's law, so that most of them have no event
on most days; kinds of reaction have the shares of `bench_records`. Rows go straight into the
rollups, a week at a time, and are merged: as in a warehouse whose days have passed.

Real in number and key; simplified in two ways. The sketch of users holds at most 8 users in the
rollups by account and by post, and 20,000 users (its largest form, 96 KiB) in those by platform on
the last 30 days alone. Values are 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from social_assets.contracts.engagement_events import ENGAGING, SHOWN
from social_assets.demo.samples.bench_records import METRIC_SHARES, PLATFORMS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

EVENTS_A_DAY = 10_000_000
ZIPF_EXPONENT = 1.5
RECENT_DAYS = 30
"""The days that the rollups by post, and by account and hour, have rows of."""

_SETTINGS = {
    "async_insert": 0,
    "max_partitions_per_insert_block": 0,
    "min_insert_block_size_rows": 500_000,
    "max_threads": 2,
}
_METRICS = ", ".join(f"'{name}'" for name in METRIC_SHARES)
_SHARES = ", ".join(str(share) for share in METRIC_SHARES.values())
_QUANTILES = "arrayReduce('quantilesBFloat16State(0.5, 0.9, 0.99)', [1.])"
_SMALL = (
    "arrayReduce('uniqCombinedState', arrayMap(i -> sipHash128(x, i), range(least(events, 8))))"
)


@dataclass(frozen=True)
class Simulation:
    """How many accounts, and the days before `end`."""

    accounts: int
    days: int
    end: date

    @property
    def first(self) -> date:
        """The first day."""
        return self.end - timedelta(days=self.days)

    @property
    def recent(self) -> date:
        """The first of the last days, which all rollups have."""
        return self.end - timedelta(days=min(self.days, RECENT_DAYS))


def fill(client: Client, simulation: Simulation) -> None:
    """Fill the rollups of engagement. Views behind them must be gone."""
    for first, days in _weeks(simulation.first, simulation.end):
        client.command(_by_account(simulation, first, days), settings=_SETTINGS)
    for name, columns, parts in (
        ("engagement_account_hourly", "event_hour, ", _HOURS),
        ("engagement_daily", "post_key, ", _POSTS),
    ):
        for first, days in _weeks(simulation.recent, simulation.end):
            client.command(_divided(name, columns, parts, first, days), settings=_SETTINGS)
    for first, days in _months(simulation.first, simulation.recent):
        client.command(_by_platform(first, days, users=8), settings=_SETTINGS)
    client.command(_by_platform(simulation.recent, RECENT_DAYS, users=20_000), settings=_SETTINGS)
    client.command(_users_of_platforms(simulation.recent), settings=_SETTINGS)
    for first, days in _weeks(simulation.recent, simulation.end):
        client.command(_by_platform_and_hour(first, days), settings=_SETTINGS)
    for table, partition in client.query(
        "SELECT concat(database, '.', table), partition_id FROM system.parts\n"
        "WHERE active AND database = 'rollups' AND rows > 0 GROUP BY 1, 2 HAVING count() > 1"
    ).result_rows:
        client.command(f"OPTIMIZE TABLE {table} PARTITION ID '{partition}' FINAL")


def _by_account(simulation: Simulation, first: date, days: int) -> str:
    """A row for each kind and day on which the account is expected to have an event of the kind."""
    total = f"(SELECT sum(pow(number + 1, -{ZIPF_EXPONENT})) FROM numbers({simulation.accounts}))"
    return f"""
INSERT INTO rollups.engagement_account_daily
SELECT
    toDate('{first}') + d AS event_date, account_key, platform_key,
    [{_METRICS}][m] AS metric_type, events, toFloat64(events) AS value_sum,
    {_SMALL} AS users, {_QUANTILES} AS value_quantiles
FROM (
    SELECT account_key, platform_key, m, d, cityHash64(account, m, toDate('{first}') + d) AS x,
        expected * [{_SHARES}][m] AS e, x / 18446744073709551616. AS luck,
        toUInt64(greatest(1, e * (0.5 + luck))) AS events
    FROM (
        SELECT number AS account, MD5(toString(account)) AS account_key,
            MD5([{", ".join(f"'{name}'" for name in PLATFORMS)}][1 + number % {len(PLATFORMS)}])
                AS platform_key,
            {EVENTS_A_DAY} * pow(number + 1, -{ZIPF_EXPONENT}) / {total} AS expected
        FROM numbers({simulation.accounts})
    ) ARRAY JOIN range(1, {len(METRIC_SHARES) + 1}) AS m
    ARRAY JOIN range({days}) AS d
    WHERE luck < 1 - exp(-e)
)"""


_HOURS = (
    "arrayMap(i -> toDateTime(event_date, 'UTC') + 3600 * ((i * 7 + 9) % 24),"
    " range(least(events, 24)))"
)
_FEW_POSTS = "range(least(intDiv(events, 3) + 1, 30))"
_POSTS = f"arrayMap(i -> MD5(concat(hex(account_key), toString(i))), {_FEW_POSTS})"


def _divided(name: str, columns: str, parts: str, first: date, days: int) -> str:
    """The rows by account and day, each divided among hours or posts."""
    return f"""
INSERT INTO rollups.{name}
    (event_date, account_key, {columns}platform_key, metric_type, events, value_sum, users,
     value_quantiles)
SELECT event_date, account_key, part, platform_key, metric_type,
    intDiv(events, length(parts)) + 1 AS n, toFloat64(n), users, value_quantiles
FROM (
    SELECT *, {parts} AS parts FROM rollups.engagement_account_daily
    WHERE event_date >= '{first}' AND event_date < toDate('{first}') + {days}
) ARRAY JOIN parts AS part"""


def _by_platform(first: date, days: int, users: int) -> str:
    """The sums of all accounts, with a sketch of some users."""
    return f"""
INSERT INTO rollups.engagement_platform_daily
SELECT event_date, platform_key, metric_type, events, value_sum, users, value_quantiles FROM (
    SELECT event_date, platform_key, metric_type, sumSimpleState(a.events) AS events,
        sumSimpleState(a.value_sum) AS value_sum,
        quantilesBFloat16MergeState(0.5, 0.9, 0.99)(a.value_quantiles) AS value_quantiles
    FROM rollups.engagement_account_daily AS a
    WHERE event_date >= '{first}' AND event_date < toDate('{first}') + {days}
    GROUP BY event_date, platform_key, metric_type
) AS sums CROSS JOIN (
    SELECT uniqCombinedState(sipHash128(number)) AS users FROM numbers({users})
) AS sketches"""


def _users_of_platforms(first: date) -> str:
    """One row a platform and day, with the sketch of a kind."""
    return f"""
INSERT INTO rollups.engagement_users_daily
SELECT event_date, platform_key, sumSimpleState(p.events), uniqCombinedMergeState(p.users),
    uniqCombinedMergeStateIf(p.users, metric_type IN {SHOWN}),
    sumSimpleStateIf(p.value_sum, metric_type IN {ENGAGING})
FROM rollups.engagement_platform_daily AS p
WHERE event_date >= '{first}' GROUP BY event_date, platform_key"""


def _by_platform_and_hour(first: date, days: int) -> str:
    return f"""
INSERT INTO rollups.engagement_platform_hourly
SELECT event_date, event_hour, platform_key, metric_type, sumSimpleState(a.events),
    sumSimpleState(a.value_sum), uniqCombinedMergeState(a.users),
    quantilesBFloat16MergeState(0.5, 0.9, 0.99)(a.value_quantiles)
FROM rollups.engagement_account_hourly AS a
WHERE event_date >= '{first}' AND event_date < toDate('{first}') + {days}
GROUP BY event_date, event_hour, platform_key, metric_type"""


def _months(first: date, end: date) -> Iterator[tuple[date, int]]:
    """The first day and number of days of each month, and part of a month, before `end`."""
    while first < end:
        following = min((first.replace(day=1) + timedelta(days=32)).replace(day=1), end)
        yield first, (following - first).days
        first = following


def _weeks(first: date, end: date) -> Iterator[tuple[date, int]]:
    while first < end:
        following = min(first + timedelta(days=7), end)
        yield first, (following - first).days
        first = following
