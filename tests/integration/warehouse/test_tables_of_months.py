"""A day is rebuilt, measured and expired also in tables whose partitions hold months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from social_assets.warehouse.day_sizes import is_monthly, sizes_by_day
from social_assets.warehouse.dbt.survey import altered_tables
from social_assets.warehouse.expiry import days_before, drop_days
from tests.integration.warehouse.conftest import WarehouseUnderTest, at
from tests.integration.warehouse.samples import FIRST, LAST, engagement

DAILY = "rollups.engagement_account_daily"
MONTHLY_TABLES = (
    "engagement_account_hourly",
    "engagement_account_daily",
    "engagement_platform_hourly",
    "engagement_platform_daily",
    "engagement_users_daily",
)
JANUARY, FEBRUARY = date(2026, 1, 30), date(2026, 2, 2)


@pytest.fixture
def two_months(warehouse: WarehouseUnderTest) -> WarehouseUnderTest:
    """One event in January, three in February."""
    event = engagement(1)[0]
    times = [f"{JANUARY} 10:00", *(f"{FEBRUARY} 1{hour}:00" for hour in range(3))]
    rows = [{**event, "event_id": f"m{n}", "event_time": at(time)} for n, time in enumerate(times)]
    warehouse.stream("engagement_events", *rows)
    return warehouse


def test_a_query_of_two_years_opens_a_part_a_month(deployed: WarehouseUnderTest) -> None:
    for name in MONTHLY_TABLES:
        assert is_monthly(deployed.client, f"rollups.{name}")
    assert not is_monthly(deployed.client, "rollups.engagement_daily")


def test_rows_of_a_day_are_told_also_where_a_partition_holds_a_month(
    two_months: WarehouseUnderTest,
) -> None:
    for name, rows in (("engagement_account_daily", 1), ("engagement_account_hourly", 3)):
        sizes = sizes_by_day(two_months.client, f"rollups.{name}")
        assert {day: size.rows for day, size in sizes.items()} == {JANUARY: 1, FEBRUARY: rows}
        assert all(size.size_bytes > 0 for size in sizes.values())
    assert set(sizes_by_day(two_months.client, DAILY, first=FEBRUARY)) == {FEBRUARY}
    assert set(sizes_by_day(two_months.client, DAILY, last=JANUARY)) == {JANUARY}


def test_a_day_expires_with_the_last_day_of_its_month(two_months: WarehouseUnderTest) -> None:
    client = two_months.client
    assert days_before(client, DAILY, date(2026, 1, 31)) == {}
    assert set(days_before(client, DAILY, FEBRUARY)) == {JANUARY}
    drop_days(client, DAILY, days_before(client, DAILY, FEBRUARY))
    assert set(sizes_by_day(client, DAILY)) == {FEBRUARY}


def test_a_table_of_months_that_is_partitioned_otherwise_is_altered(
    two_months: WarehouseUnderTest,
) -> None:
    client = two_months.client
    client.command(f"RENAME TABLE {DAILY} TO {DAILY}_away")
    client.command(
        f"CREATE TABLE {DAILY} AS {DAILY}_away ENGINE = AggregatingMergeTree"
        " PARTITION BY event_date ORDER BY (account_key, event_date, platform_key, metric_type)"
    )
    declared = [t for t in two_months.project.dbt.declared() if t.name == DAILY]
    (altered,) = altered_tables(client, declared)
    client.command(f"DROP TABLE {DAILY} SYNC")
    client.command(f"RENAME TABLE {DAILY}_away TO {DAILY}")
    assert altered.differences == (
        "it is partitioned by event_date, not toStartOfMonth(event_date)",
    )


@pytest.mark.endurance
def test_a_rebuilt_day_leaves_the_other_days_of_its_month_as_they_are(
    warehouse: WarehouseUnderTest,
) -> None:
    """The facts of another day are gone, so a rebuild of the month would lose that day."""
    warehouse.stream("engagement_events", *engagement())
    before = {name: warehouse.rows_of(warehouse.table(name)) for name in MONTHLY_TABLES}
    for table in ("star.fact_engagement", "rollups.engagement_hourly"):
        warehouse.client.command(f"ALTER TABLE {table} DROP PARTITION '{LAST}'")
    for _ in range(2):
        warehouse.backfill(FIRST, FIRST, "engagement_hourly", *MONTHLY_TABLES)
        after = {name: warehouse.rows_of(warehouse.table(name)) for name in MONTHLY_TABLES}
        assert after == before
    late = {**engagement(1)[0], "event_id": "late", "event_time": at(f"{LAST} 23:59")}
    warehouse.stream("engagement_events", late)
    events = "SELECT sum(events) FROM rollups.engagement_platform_daily"
    assert warehouse.value(events) == len(engagement()) + 1


@pytest.mark.endurance
def test_days_that_several_inserts_fill_are_those_that_arrived(
    warehouse: WarehouseUnderTest,
) -> None:
    """An INSERT of the hourly rollup fills three days: here, two inserts share the rows."""
    warehouse.stream("engagement_events", *engagement())
    before = {name: warehouse.rows_of(warehouse.table(name)) for name in MONTHLY_TABLES}
    for name in MONTHLY_TABLES:
        warehouse.client.command(f"TRUNCATE TABLE rollups.{name} SYNC")
    begin, end = FIRST - timedelta(days=1), LAST + timedelta(days=6)
    warehouse.backfill(begin, end, *MONTHLY_TABLES)
    assert {name: warehouse.rows_of(warehouse.table(name)) for name in MONTHLY_TABLES} == before
