"""The layers that dbt builds, materialized as assets on a real server."""

from __future__ import annotations

from datetime import date

import pytest
from dagster import AssetCheckKey, AssetKey, AssetSelection, ExecuteInProcessResult, materialize

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.partitions import range_tags
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.dbt_layers import layer_assets
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.integration.warehouse.samples import FIRST, LAST, STREAMS

pytestmark = pytest.mark.endurance

BROKEN = AssetKey(["rollups", "platform_daily"])
SOUND = AssetKey(["rollups", "engagement_daily"])
OVERVIEW = AssetKey(["rollups", "engagement_overview"])
SHOWS_ALL = AssetCheckKey(OVERVIEW, "shows_all_of_engagement_daily")


@pytest.fixture
def filled(warehouse: WarehouseUnderTest) -> WarehouseUnderTest:
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    return warehouse


@pytest.fixture
def without_platforms(filled: WarehouseUnderTest) -> WarehouseUnderTest:
    filled.client.command("TRUNCATE TABLE star.dim_platform_daily SYNC")
    return filled


def build(
    warehouse: WarehouseUnderTest, *keys: AssetKey, layer: str = "rollups"
) -> ExecuteInProcessResult:
    return materialize(
        [layer_assets(layer)],
        selection=AssetSelection.assets(*keys) if keys else None,
        resources=warehouse.resources(),
        tags=range_tags(FIRST, LAST),
        raise_on_error=False,
    )


def checks(result: ExecuteInProcessResult) -> dict[AssetCheckKey, bool]:
    return {e.asset_check_key: e.passed for e in result.get_asset_check_evaluations()}


def test_the_assets_of_a_range_are_materialized_day_by_day_with_their_rows(
    filled: WarehouseUnderTest,
) -> None:
    result = build(filled)
    declared = {spec.key for spec in layer_assets("rollups").check_specs}
    assert SHOWS_ALL in declared
    assert checks(result) == dict.fromkeys(declared, True)
    assert result.success
    events = result.get_asset_materialization_events()
    daily = [e for e in events if e.asset_key and e.asset_key.path == ["rollups", "platform_daily"]]
    assert {e.partition for e in daily} == {"2026-01-01", "2026-01-02", "2026-01-03"}
    counted = {
        date.fromisoformat(e.partition or ""): e.materialization.metadata[
            "dagster/partition_row_count"
        ].value
        for e in daily
    }
    assert counted == dict(
        filled.client.query(
            "SELECT event_date, count() FROM rollups.platform_daily GROUP BY event_date"
        ).result_rows
    )


def test_a_dashboard_that_lost_rows_fails_its_check_and_not_the_run(
    without_platforms: WarehouseUnderTest,
) -> None:
    result = build(without_platforms, OVERVIEW)
    assert result.success
    assert checks(result) == {SHOWS_ALL: False}
    assert {e.asset_key for e in result.get_asset_materialization_events()} == {OVERVIEW}


def test_a_check_of_dbt_runs_without_its_asset_and_without_days(
    without_platforms: WarehouseUnderTest,
) -> None:
    result = materialize(
        [layer_assets("rollups")],
        selection=AssetSelection.checks(SHOWS_ALL),
        resources=without_platforms.resources(),
    )
    assert checks(result) == {SHOWS_ALL: False}
    assert result.get_asset_materialization_events() == []


def test_a_table_that_dbt_cannot_build_fails_the_run_by_name_after_all_others_are_built(
    filled: WarehouseUnderTest,
) -> None:
    table = "ALTER TABLE rollups.platform_daily"
    filled.client.command(f"{table} ADD CONSTRAINT impossible CHECK interactions < 0")
    try:
        result = build(filled, BROKEN, SOUND)
    finally:
        filled.client.command(f"{table} DROP CONSTRAINT impossible")
    (failure,) = result.get_step_failure_events()
    message = str(failure.step_failure_data.error)
    assert "platform_daily" in message
    assert "impossible" in message
    assert str(filled.home.logs / "dbt.log") in message
    assert {e.asset_key for e in result.get_asset_materialization_events()} == {SOUND}


def test_a_fact_is_not_made_anew_of_a_day_that_its_source_has_lost_to_retention(
    warehouse: WarehouseUnderTest,
) -> None:
    """A rebuild would empty it: facts may be kept longer than cleaned."""
    gone = date(2020, 1, 5)
    stores = StoresResource(clickhouse=ClickHouseResource())
    stores.stores().lake.expired_days().record("cleaned/engagement_events", {gone: 1})
    result = materialize(
        [layer_assets("star")],
        resources=warehouse.resources(),
        tags=range_tags(gone, gone),
        raise_on_error=False,
    )
    (failure,) = result.get_step_failure_events()
    assert "gone from cleaned/engagement_events by the retention" in str(
        failure.step_failure_data.error
    )
