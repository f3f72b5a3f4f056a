"""The check names partitions that failed, are missing, or are older than their source."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetExecutionContext,
    AssetKey,
    BackfillPolicy,
    Config,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    RunConfig,
    asset,
    define_asset_job,
)
from dagster._core.test_utils import instance_for_test

from social_assets.contracts.registry import contract
from social_assets.defs.monitoring.partition_checks import behind, days_missing, left_failed
from social_assets.defs.partitions import daily, range_tags

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 3)
RAW, CLEANED = AssetKey("raw_events"), AssetKey("cleaned_events")


class Luck(Config):
    fails: bool = False


@asset(partitions_def=daily(), backfill_policy=BackfillPolicy.single_run())
def raw_events(config: Luck) -> None:
    if config.fails:
        raise ValueError("as asked")


@asset(partitions_def=daily(), deps=[raw_events], backfill_policy=BackfillPolicy.single_run())
def cleaned_events(context: AssetExecutionContext) -> None:
    context.log.info("made")


defs = Definitions(assets=[raw_events, cleaned_events], jobs=[define_asset_job("make")])


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with instance_for_test(temp_dir=str(tmp_path)) as found:
        yield found


def make(
    instance: DagsterInstance, first: date, last: date, *assets: AssetKey, fails: bool = False
) -> ExecuteInProcessResult:
    config = RunConfig(ops={"raw_events": Luck(fails=fails)}) if RAW in assets else None
    return defs.resolve_job_def("make").execute_in_process(
        instance=instance,
        tags=range_tags(first, last),
        asset_selection=assets,
        run_config=config,
        raise_on_error=False,
    )


def test_a_range_that_failed_leaves_its_partitions_failed_until_they_are_made(
    instance: DagsterInstance,
) -> None:
    make(instance, FIRST, LAST, RAW, fails=True)
    told = left_failed(instance, RAW)
    assert not told.passed
    assert told.metadata["partitions"].value == 3
    make(instance, FIRST, LAST - timedelta(days=1), RAW)
    assert left_failed(instance, RAW).metadata["partitions"].value == 1
    make(instance, LAST, LAST, RAW)
    assert left_failed(instance, RAW).passed


def test_an_attempt_that_fails_after_one_that_succeeded_is_told(instance: DagsterInstance) -> None:
    make(instance, FIRST, FIRST, RAW)
    assert left_failed(instance, RAW).passed
    make(instance, FIRST, FIRST, RAW, fails=True)
    assert not left_failed(instance, RAW).passed


def test_a_source_materialized_later_leaves_its_followers_behind_on_those_days(
    instance: DagsterInstance,
) -> None:
    make(instance, FIRST, LAST, RAW, CLEANED)
    assert behind(instance, CLEANED, [RAW]).passed
    make(instance, LAST, LAST, RAW)
    told = behind(instance, CLEANED, [RAW])
    assert not told.passed
    assert told.metadata["for_example"].value == {"2026-01-03": "raw_events"}
    make(instance, LAST, LAST, CLEANED)
    assert behind(instance, CLEANED, [RAW]).passed


def test_a_day_between_others_without_rows_warns_then_fails() -> None:
    posts = contract("posts")
    held = {FIRST: 1, LAST: 1}
    end = datetime(2026, 1, 3, tzinfo=UTC)
    assert days_missing(posts, held, end + timedelta(hours=29)).passed
    late = days_missing(posts, held, end + timedelta(hours=31))
    assert (late.passed, late.severity.value) == (False, "WARN")
    assert late.metadata["missing"].value == ["2026-01-02"]
    stale = days_missing(posts, {FIRST: 1, LAST: 1, date(2026, 1, 4): 1}, end + timedelta(hours=55))
    assert (stale.passed, stale.severity.value) == (False, "ERROR")


def test_days_before_the_first_rows_and_the_day_that_has_not_ended_are_not_missing() -> None:
    now = datetime(2026, 1, 3, 12, tzinfo=UTC)
    assert days_missing(contract("posts"), {date(2026, 1, 2): 1}, now).passed
    assert days_missing(contract("posts"), {}, now).passed
