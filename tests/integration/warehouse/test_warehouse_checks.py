"""Each check fails if and only if the rows that it compares are wrong."""

from __future__ import annotations

from datetime import date

import pytest
from dagster import AssetCheckEvaluation, AssetCheckKey, DagsterInstance

from social_assets.defs.monitoring.failing_days import days_to_validate
from social_assets.defs.warehouse.referential_checks import unresolved_keys
from social_assets.defs.warehouse.speed_checks import SPEED_EQUALS_BATCH, difference
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.integration.warehouse.samples import STREAMS

pytestmark = pytest.mark.endurance

FACTS = [
    "fact_engagement",
    "fact_video_interactions",
    "fact_live_streaming_interactions",
    "fact_community_interactions",
]
ROLLUPS = [
    "age_group_daily",
    "community_daily",
    "engagement_account_daily",
    "engagement_account_hourly",
    "engagement_daily",
    "engagement_hourly",
    "engagement_platform_daily",
    "engagement_platform_hourly",
    "engagement_users_daily",
    "hour_of_day_daily",
    "live_streaming_device_daily",
    "platform_daily",
    "video_watch_reason_daily",
]


@pytest.fixture
def filled(warehouse: WarehouseUnderTest) -> WarehouseUnderTest:
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    return warehouse


def differing(warehouse: WarehouseUnderTest) -> set[str]:
    return {t.name for t in warehouse.tables if not difference(warehouse.client, t, None).passed}


def test_tables_as_streamed_pass(filled: WarehouseUnderTest) -> None:
    assert differing(filled) == set()


def test_a_row_lost_is_found_in_the_table_that_lost_it(filled: WarehouseUnderTest) -> None:
    for name in ROLLUPS:
        lose_a_row(filled, name)
    assert differing(filled) == set(ROLLUPS)
    for name in FACTS:
        lose_a_row(filled, name)
        result = difference(filled.client, filled.table(name), None)
        (day,) = result.metadata["failing_days"].value  # type: ignore[misc]
        assert result.description == (f"1 rows differ from what the views would make now, on {day}")


def test_a_row_doubled_is_found_in_the_table_that_has_it_twice(filled: WarehouseUnderTest) -> None:
    for name in ROLLUPS:
        double_a_row(filled, name)
    assert differing(filled) == set(ROLLUPS)
    for name in FACTS:
        double_a_row(filled, name)
        assert not difference(filled.client, filled.table(name), None).passed


def lose_a_row(warehouse: WarehouseUnderTest, name: str) -> None:
    table = warehouse.table(name).qualified_name
    warehouse.client.command(
        f"DELETE FROM {table} WHERE (_part, _part_offset) IN "
        f"(SELECT _part, _part_offset FROM {table} LIMIT 1)"
    )


def double_a_row(warehouse: WarehouseUnderTest, name: str) -> None:
    """Insert a copy of a row into the table only: an ordinary insert would feed the views."""
    table = warehouse.table(name).qualified_name
    warehouse.client.command(f"CREATE TABLE {table}__double AS {table}")
    warehouse.client.command(f"INSERT INTO {table}__double SELECT * FROM {table} LIMIT 1")
    warehouse.client.command(f"ALTER TABLE {table} ATTACH PARTITION ALL FROM {table}__double")
    warehouse.client.command(f"DROP TABLE {table}__double SYNC")


def test_only_the_days_asked_for_are_compared(filled: WarehouseUnderTest) -> None:
    table = filled.table("fact_engagement")
    filled.client.command(f"ALTER TABLE {table.qualified_name} DROP PARTITION '2026-01-02'")
    days = [row[0] for row in filled.client.query("SELECT toDate('2026-01-01')").result_rows]
    assert difference(filled.client, table, days).passed
    assert not difference(filled.client, table, None).passed
    gone = filled.client.query("SELECT toDate('2026-01-02')").first_row
    assert difference(filled.client, table, None, gone).passed


def test_a_member_lost_leaves_keys_that_do_not_resolve(filled: WarehouseUnderTest) -> None:
    filled.client.command("DELETE FROM star.dim_post_daily WHERE post_id = 'p3'")
    result = unresolved_keys(filled.client, filled.table("fact_engagement"), None)
    assert not result.passed
    unresolved = result.metadata["unresolved"].value
    assert {key for key, rows in unresolved.items() if rows} == {"post_key"}


def test_the_day_of_an_unresolved_key_is_named_among_the_failing_days(
    filled: WarehouseUnderTest,
) -> None:
    filled.client.command("DELETE FROM star.dim_post_daily WHERE post_id = 'p3'")
    fact = filled.table("fact_engagement")
    result = unresolved_keys(filled.client, fact, None)
    days = result.metadata["failing_days"].value
    found = [date.fromisoformat(str(day)) for day in days]  # type: ignore[union-attr]
    assert found
    assert not unresolved_keys(filled.client, fact, found).passed
    others = filled.client.query(
        f"SELECT DISTINCT event_date FROM {fact.qualified_name} WHERE NOT {fact.of_days(found)}"
    ).result_rows
    assert unresolved_keys(filled.client, fact, [row[0] for row in others]).passed


def test_runs_of_other_days_compare_the_days_again_that_failed(filled: WarehouseUnderTest) -> None:
    table = filled.table("fact_engagement")
    filled.client.command(f"ALTER TABLE {table.qualified_name} DROP PARTITION '2026-01-02'")
    found = difference(filled.client, table, None)
    assert found.metadata["failing_days"].value == ["2026-01-02"]
    with DagsterInstance.ephemeral() as instance:
        key = AssetCheckKey(table.asset, SPEED_EQUALS_BATCH)
        instance.report_runless_asset_event(
            AssetCheckEvaluation(
                asset_key=table.asset,
                check_name=SPEED_EQUALS_BATCH,
                passed=found.passed,
                metadata=found.metadata,
            )
        )
        due = days_to_validate(instance, key, [date(2026, 1, 1)])
    assert not difference(filled.client, table, due).passed
