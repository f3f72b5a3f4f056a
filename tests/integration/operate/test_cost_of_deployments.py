"""A deployment's time is estimated from runs on record."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dagster import (
    AssetKey,
    AssetMaterialization,
    AssetSpec,
    BackfillPolicy,
    DagsterInstance,
    DailyPartitionsDefinition,
    MaterializeResult,
    multi_asset,
)
from dagster import materialize as run

from social_assets.operate.deployment.cost import estimate
from social_assets.operate.deployment.plan import TablePlan

FIRST = date(2026, 1, 1)
CLEANED, QUARANTINE = AssetKey(["cleaned", "ads"]), AssetKey(["quarantine", "ads"])


@multi_asset(
    name="clean_ads",
    specs=[AssetSpec(CLEANED), AssetSpec(QUARANTINE)],
    partitions_def=DailyPartitionsDefinition(FIRST.isoformat()),
    backfill_policy=BackfillPolicy.single_run(),
)
def clean_ads() -> tuple[MaterializeResult[None], MaterializeResult[None]]:
    return MaterializeResult(asset_key=CLEANED), MaterializeResult(asset_key=QUARANTINE)


def plans(*tables: str, days: int) -> list[TablePlan]:
    listed = tuple(FIRST + timedelta(days=n) for n in range(days))
    return [TablePlan(table, "makes anew", listed) for table in tables]


@pytest.fixture
def instance() -> DagsterInstance:
    return DagsterInstance.ephemeral()


def backfill(instance: DagsterInstance, first: date, last: date) -> float:
    """Make the days in one run; the seconds of its step."""
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
    done = run([clean_ads], instance=instance, tags=tags)
    (stats,) = instance.get_run_step_stats(done.run_id, ["clean_ads"])
    assert stats.start_time and stats.end_time
    return stats.end_time - stats.start_time


def test_seconds_a_day_of_the_newest_runs_are_multiplied_by_days(
    instance: DagsterInstance,
) -> None:
    seconds = backfill(instance, FIRST, FIRST + timedelta(days=3)) / 4
    found = estimate(instance, plans("cleaned/ads", "quarantine/ads", "cleaned.ads", days=10))
    assert found.seconds == pytest.approx(seconds * 10)
    assert (found.runs, found.unknown) == (1, ())


def test_of_several_runs_the_median_counts(instance: DagsterInstance) -> None:
    taken = [backfill(instance, FIRST, FIRST + timedelta(days=n)) / (n + 1) for n in range(4)]
    found = estimate(instance, plans("cleaned/ads", days=1))
    assert found.seconds == pytest.approx(sorted(taken[1:])[1])
    assert found.runs == 3


def test_tables_without_a_run_are_named(instance: DagsterInstance) -> None:
    backfill(instance, FIRST, FIRST)
    found = estimate(instance, plans("cleaned/ads", "star.dim_ad_daily", days=1))
    assert found.unknown == ("star.dim_ad_daily",)
    assert estimate(instance, plans("star.fact", days=1)).runs == 0


def test_loads_do_not_count_as_rebuilds(instance: DagsterInstance) -> None:
    # A load records the days that it has changed.
    instance.report_runless_asset_event(AssetMaterialization(CLEANED, partition=str(FIRST)))
    assert estimate(instance, plans("cleaned/ads", days=1)).unknown == ("cleaned/ads",)
