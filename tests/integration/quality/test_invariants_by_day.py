"""Results of invariants are recorded for each day: of a range, of a load, of all at night."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.alerts.kinds.failed_checks import Check, observe_checks
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.jobs.load_job import JOB_NAME, load_job, run_config
from social_assets.defs.monitoring.invariant_checks import stream_invariants
from social_assets.defs.monitoring.invariant_results import (
    changed_results,
    end_expired_failures,
    evaluations,
    summary_of_all_days,
    with_emptied_days,
)
from social_assets.defs.monitoring.verification import verify_conservation
from social_assets.defs.partitions import day_range, range_tags
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from social_assets.pipeline.files.allowed_files import granted
from social_assets.pipeline.stores import Stores
from social_assets.quality.day_comparison import DayComparison, compare_days
from social_assets.quality.invariants import invariants, invariants_of_stream
from social_assets.transform.validate import rules
from tests.integration.quality.conftest import LAST

pytestmark = pytest.mark.endurance

DAYS = [LAST - timedelta(days=n) for n in (2, 1, 0)]
STREAM = "live_streaming"
CHECKS = stream_invariants(contract(STREAM))

defs = dg.Definitions(
    asset_checks=[CHECKS],
    jobs=[
        load_job(),
        dg.define_asset_job("validate", dg.AssetSelection.checks(CHECKS)),
        verify_conservation,
    ],
    resources={"stores": StoresResource(clickhouse=ClickHouseResource())},
)


@pytest.fixture
def instance(stores: Stores) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def test_a_run_of_a_range_records_each_day_of_it_beside_the_summary_and_leaves_none_skipped(
    instance: dg.DagsterInstance,
) -> None:
    job = defs.resolve_job_def("validate")
    asked = day_range(DAYS[0] - timedelta(days=3), DAYS[-1])
    tags = range_tags(asked[0], asked[-1])
    found = job.execute_in_process(instance=instance, tags=tags).get_asset_check_evaluations()
    for key in CHECKS.check_keys:
        recorded = {e.partition for e in found if e.asset_check_key == key}
        assert recorded == {None, *map(str, asked)}
    infos = instance.event_log_storage.get_asset_check_partition_info(list(CHECKS.check_keys))
    states = {(info.check_key, info.partition_key): info for info in infos if info.partition_key}
    assert states.keys() == {(key, str(day)) for key in CHECKS.check_keys for day in asked}
    assert {each.latest_execution_status.value for each in states.values()} == {"SUCCEEDED"}


def test_a_run_says_of_an_expired_day_that_it_is_not_validated(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    day = DAYS[0] - timedelta(days=401)
    stores.lake.expired_days().record(f"raw/{STREAM}", {day: 10})
    job = defs.resolve_job_def("validate")
    result = job.execute_in_process(
        instance=instance, tags=range_tags(day, day + timedelta(days=1))
    )
    found = {e.check_name: e for e in result.get_asset_check_evaluations() if e.partition}
    expired = [e for e in result.get_asset_check_evaluations() if e.partition == str(day)]
    assert "not validated: retention has removed the day" in {e.description for e in expired}
    assert found.keys() == {key.name for key in CHECKS.check_keys}
    assert all(each.passed for each in expired)


def test_a_load_records_every_invariant_that_its_rows_take_part_in_on_the_days_it_changed(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    path = tmp_path / "late.ndjson"
    path.write_text(json.dumps({"event_id": 1_000_000_007, "user_id": 1}) + "\n")
    config = run_config(STREAM, [path], DAYS[1])
    job = defs.resolve_job_def(JOB_NAME)
    with granted([path]):
        result = job.execute_in_process(instance=instance, run_config=config)
    found = result.get_asset_check_evaluations()
    rule_names = {rule.name for rule in rules(contract(STREAM))}
    due = {(invariant.asset, invariant.name) for invariant in invariants_of_stream(STREAM)}
    of_invariants = [e for e in found if e.check_name not in rule_names]
    assert {(e.asset_key, e.check_name) for e in of_invariants} == due
    assert {e.partition for e in of_invariants} == {str(DAYS[1]), None}
    assert all(e.passed for e in of_invariants)


def test_a_load_reports_every_rule_and_a_load_of_another_day_leaves_the_bad_day_failing(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    bad, good = tmp_path / "bad.ndjson", tmp_path / "good.ndjson"
    bad.write_text("".join(f'{{"event_id": {n + 2_000_000_000}}}\n' for n in range(2_000)))
    good.write_text(json.dumps({"event_id": 1_900_000_007, "user_id": 1}) + "\n")
    job = defs.resolve_job_def(JOB_NAME)
    results = []
    for path, day in ((bad, DAYS[0]), (good, DAYS[2])):
        config = run_config(STREAM, [path], day)
        with granted([path]):
            run = job.execute_in_process(instance=instance, run_config=config)
        results.append({e.check_name: e for e in run.get_asset_check_evaluations()})
    names = {rule.name for rule in rules(contract(STREAM))}
    assert names <= results[0].keys() & results[1].keys()
    failing = {name for name in names if not results[0][name].passed}
    assert failing
    assert {name for name in names if not results[1][name].passed} == failing
    assert str(DAYS[0]) in {str(results[1][n].metadata["worst_day"].value) for n in failing}


def test_a_night_compares_every_invariant_on_every_day_with_rows(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    result = defs.resolve_job_def("verify_conservation").execute_in_process(instance=instance)
    found: dict[tuple[dg.AssetKey, str], set[str]] = {}
    for e in result.get_asset_check_evaluations():
        found.setdefault((e.asset_key, e.check_name), set()).add(str(e.partition))
    sampled = {each.name for each in SAMPLE_STREAMS}
    filled = [each for each in invariants() if sampled >= set(each.streams)]
    assert {each.asset.path[0] for each in filled} == {"cleaned", "star", "rollups"}
    for invariant in filled:
        assert {str(day) for day in DAYS} <= found[invariant.asset, invariant.name]


def test_a_run_of_other_days_leaves_an_invariant_failing_that_is_broken_on_one(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    invariant = invariants_of_stream(STREAM)[0]
    broken = DayComparison(
        invariant, DAYS[0], (10.0,) * len(invariant.measures), (9.0,) * len(invariant.measures)
    )
    for each in evaluations(instance, invariant, [broken]):
        instance.report_runless_asset_event(each)
    whole = summary_of_all_days(
        instance, invariant, compare_days(invariant, stores, DAYS[1:]), stores
    )
    assert not whole.passed
    assert str(DAYS[0]) in str(whole.description)
    mended = summary_of_all_days(instance, invariant, compare_days(invariant, stores, DAYS), stores)
    assert mended.passed


def report(instance: dg.DagsterInstance, results: Iterable[dg.AssetCheckEvaluation]) -> None:
    """Record results like a run."""

    @dg.op
    def record(context) -> None:  # type: ignore[no-untyped-def] # Dagster takes no string
        for each in results:
            context.log_event(each)

    @dg.job
    def run() -> None:
        record()

    run.execute_in_process(instance=instance)


def test_the_latest_result_of_an_invariant_fails_after_a_rebuild_of_another_day(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    invariant = invariants_of_stream(STREAM)[0]
    key = dg.AssetCheckKey(invariant.asset, invariant.name)
    broken = DayComparison(
        invariant, DAYS[0], (10.0,) * len(invariant.measures), (9.0,) * len(invariant.measures)
    )
    report(instance, evaluations(instance, invariant, [broken]))
    job = defs.resolve_job_def("validate")
    job.execute_in_process(instance=instance, tags=range_tags(DAYS[2], DAYS[2]))
    storage = instance.event_log_storage
    latest = storage.get_latest_asset_check_execution_by_key([key])[key]
    assert latest.evaluation is not None
    assert (latest.evaluation.partition, latest.evaluation.passed) == (None, False)
    assert str(DAYS[0]) in str(latest.evaluation.description)
    days = {info.partition_key: info for info in storage.get_asset_check_partition_info([key])}
    assert days[str(DAYS[2])].latest_execution_status.value == "SUCCEEDED"


def test_the_failure_of_an_invariant_ends_when_its_day_expires(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    invariant = invariants_of_stream(STREAM)[0]
    key = dg.AssetCheckKey(invariant.asset, invariant.name)
    day = DAYS[0] - timedelta(days=400)
    broken = DayComparison(
        invariant, day, (10.0,) * len(invariant.measures), (9.0,) * len(invariant.measures)
    )
    report(instance, evaluations(instance, invariant, [broken]))
    assert list(end_expired_failures(instance, stores)) == []
    stores.lake.expired_days().record(f"raw/{STREAM}", {day: 10})
    report(instance, end_expired_failures(instance, stores))
    spec = next(s for s in CHECKS.check_specs if s.key == key)
    assert observe_checks(instance, [Check(spec, "team:platform")]).active == ()
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
    assert latest.evaluation is not None
    assert (latest.evaluation.partition, latest.evaluation.passed) == (None, True)
    assert list(end_expired_failures(instance, stores)) == []


def test_the_failure_of_a_day_ends_at_night_when_the_day_has_no_rows_any_more(
    instance: dg.DagsterInstance, stores: Stores
) -> None:
    invariant = invariants_of_stream(STREAM)[0]
    day = DAYS[0] - timedelta(days=30)
    broken = DayComparison(
        invariant, day, (10.0,) * len(invariant.measures), (9.0,) * len(invariant.measures)
    )
    report(instance, evaluations(instance, invariant, [broken]))
    found = with_emptied_days(instance, invariant, compare_days(invariant, stores, None))
    report(
        instance,
        [
            *changed_results(instance, invariant, found),
            summary_of_all_days(instance, invariant, found, stores),
        ],
    )
    key = dg.AssetCheckKey(invariant.asset, invariant.name)
    spec = next(s for s in CHECKS.check_specs if s.key == key)
    assert observe_checks(instance, [Check(spec, "team:platform")]).active == ()
