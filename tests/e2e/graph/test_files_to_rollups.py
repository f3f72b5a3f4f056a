"""Files to rollups through Dagster, in an ephemeral instance, on the real engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from dagster import (
    AssetCheckEvaluation,
    AssetKey,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    SensorResult,
    SkipReason,
    build_schedule_context,
    build_sensor_context,
)

from bench.orchestration.automation import Ticks, behind
from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples import SampleFile, generate
from social_assets.operate.runs.locations import Location
from social_assets.pipeline.files.allowed_files import granted
from social_assets.pipeline.stores import StreamStores

pytestmark = pytest.mark.endurance

# Yesterday, as the freshness checks use the clock.
LAST = datetime.now(UTC).date() - timedelta(days=1)
FIRST = LAST - timedelta(days=3)
ONLINE_FEATURES = AssetKey(["features", "online"])
NIGHT = datetime.combine(LAST + timedelta(days=1), time(5), UTC)
EVENTS = 4_000


@pytest.fixture(scope="module")
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as found:
        yield found


@pytest.fixture(scope="module")
def samples(home: Home) -> list[SampleFile]:
    return generate(home.landing, events=EVENTS, days=4, end=LAST, seed=3)


@pytest.fixture(scope="module")
def built(
    home: Home, instance: DagsterInstance, samples: list[SampleFile]
) -> ExecuteInProcessResult:
    """All layers of the days of the samples, built in one run."""
    from social_assets.defs.partitions import range_tags

    job = batch().resolve_job_def("rebuild_days")
    return job.execute_in_process(instance=instance, tags=range_tags(FIRST, LAST))


def streaming() -> Definitions:
    """The definitions, which are loaded after the home exists."""
    return Location.STREAMING.definitions()


def batch() -> Definitions:
    """See `streaming`."""
    return Location.BATCH.definitions()


def stream(name: str) -> StreamStores:
    return StoresResource(clickhouse=ClickHouseResource()).stores().of(contract(name))


def ask(query: str) -> list[tuple[object, ...]]:
    with ClickHouseResource().client("test") as client:
        return [tuple(row) for row in client.query(query).result_rows]


def command(text: str) -> None:
    with ClickHouseResource().client("test") as client:
        client.command(text)


def check_results(result: ExecuteInProcessResult) -> dict[tuple[str, str], AssetCheckEvaluation]:
    return {
        (e.asset_key.to_user_string(), e.check_name): e
        for e in result.get_asset_check_evaluations()
    }


def test_every_record_of_the_samples_is_accounted_for(
    built: ExecuteInProcessResult, samples: list[SampleFile]
) -> None:
    landed, rejected, doubled = Counter[str](), Counter[str](), Counter[str]()
    for file in samples:
        landed[file.stream] += file.records
        rejected[file.stream] += file.rejected
        doubled[file.stream] += file.duplicates
    for each in contracts():
        tables = stream(each.name)
        assert sum(tables.raw.rows_by_day().values()) == landed[each.name]
        quarantine = tables.quarantine
        assert sum(quarantine.rows_by_day(verdict="rejected").values()) == rejected[each.name]
        assert sum(quarantine.rows_by_day(verdict="duplicate").values()) == doubled[each.name]


def test_all_invariants_hold_and_rules_only_warn(built: ExecuteInProcessResult) -> None:
    failed = [
        key
        for key, check in check_results(built).items()
        if not check.passed and check.severity.value == "ERROR" and key[0][:8] != "cleaned/"
    ]
    assert failed == []
    for each in contracts():
        for invariant in ("raw_equals_cleaned_plus_quarantine", "lake_equals_warehouse"):
            assert check_results(built)[f"cleaned/{each.name}", invariant].passed


def test_a_fact_has_the_rows_of_its_source_and_a_rollup_its_sum(
    built: ExecuteInProcessResult,
) -> None:
    cleaned = sum(stream("engagement_events").cleaned.rows_by_day().values())
    assert ask("SELECT count() FROM star.fact_engagement") == [(cleaned,)]
    (total,) = ask("SELECT sum(value) FROM cleaned.engagement_events")[0]
    (weekly,) = ask("SELECT sum(total_value) FROM rollups.engagement_weekly")[0]
    assert weekly == pytest.approx(total)


def test_every_day_of_every_layer_is_recorded_with_its_rows(
    built: ExecuteInProcessResult, instance: DagsterInstance
) -> None:
    days = {(FIRST + timedelta(days=n)).isoformat() for n in range(4)}
    for key in ("raw/posts", "cleaned/posts", "quarantine/posts", "star/fact_engagement"):
        recorded = instance.get_materialized_partitions(AssetKey.from_user_string(key))
        assert days <= recorded


def scheduled(name: str, instance: DagsterInstance, at: datetime = NIGHT) -> ExecuteInProcessResult:
    """The run that a schedule requests."""
    schedule = batch().resolve_schedule_def(name)
    context = build_schedule_context(
        instance, scheduled_execution_time=NIGHT, repository_def=batch().get_repository_def()
    )
    (request,) = schedule.evaluate_tick(context).run_requests or []
    job = batch().resolve_job_def(schedule.job_name)
    return job.execute_in_process(
        instance=instance, tags=request.tags, partition_key=request.partition_key
    )


def test_no_day_is_pending_once_all_layers_are_built(built: ExecuteInProcessResult) -> None:
    """Posts feed no rollups, so their days are not pending there."""
    recorded = {tuple(row) for row in ask("SELECT DISTINCT stream FROM cleaned.pending_days")}
    assert ("posts",) in recorded
    left = "SELECT stream, layer, event_date FROM cleaned.pending_days FINAL WHERE is_pending = 1"
    assert ask(left) == []


@pytest.mark.endurance
def test_the_nightly_rebuild_makes_the_day_before_again_and_changes_no_number(
    built: ExecuteInProcessResult, instance: DagsterInstance
) -> None:
    def figures() -> list[object]:
        tables = ask(
            "SELECT database, table, sum(rows) FROM system.parts WHERE active\n"
            "  AND (database = 'cleaned' AND NOT match(table, '_(batches|days)$')\n"
            "    OR table LIKE 'fact%')\n"
            "GROUP BY ALL ORDER BY ALL"
        )
        rollup = ask("SELECT * FROM rollups.engagement_overview ORDER BY ALL")
        return [tables, rollup, [stream(c.name).cleaned.rows_by_day() for c in contracts()]]

    before = figures()
    made = scheduled("nightly_rebuild", instance).get_asset_materialization_events()
    by_day = [event for event in made if event.partition is not None]
    assert {event.partition for event in by_day} == {str(LAST)}
    # Persons depend on the links of all days; training sets have all days, the online one has now.
    others = [event.asset_key.to_user_string() for event in made if event.partition is None]
    assert sorted(others) == ["features/online", "features/training_set", "star/dim_person"]
    assert figures() == before


def test_a_late_file_touches_exactly_its_days(
    built: ExecuteInProcessResult, instance: DagsterInstance, tmp_path: Path
) -> None:
    from social_assets.defs.ingestion.jobs.load_job import run_config

    late_days = {str(FIRST), str(LAST - timedelta(days=1))}
    late = tmp_path / "late.ndjson"
    late.write_text(
        "".join(
            f'{{"event_id": "late-{day}", "event_time": "{day}T10:00:00Z", "account_id": 1, '
            f'"post_id": "p", "user_id": "u", "metric_type": "like", "value": 1}}\n'
            for day in sorted(late_days)
        )
    )
    before = ask("SELECT count() FROM star.fact_engagement")[0][0]
    ticks = Ticks(batch(), instance)
    ticks.tick("first")
    with granted([late]):
        job = streaming().resolve_job_def("load_files")
        config = run_config("engagement_events", [late])
        result = job.execute_in_process(instance=instance, run_config=config)
    made = result.get_asset_materialization_events()
    touched = {(event.asset_key.to_user_string(), event.partition) for event in made}
    days = {partition for key, partition in touched if key == "star/fact_engagement"}
    assert days == late_days
    assert {p for k, p in touched if k == "cleaned/engagement_events"} == days
    assert ask("SELECT count() FROM star.fact_engagement")[0][0] == before + 2
    # Facts that the views have updated are not rebuilt. No view feeds features, and the online ones
    # are read from the facts.
    assert set(ticks.tick("loaded")) == {ONLINE_FEATURES}
    assert ticks.tick("quiet") == {}
    asked = ticks.tick("a quarter of an hour later", after=timedelta(minutes=15))
    assert {key.path[0]: days for key, days in asked.items()}["features"] == late_days


def test_days_that_a_run_of_raw_alone_changed_are_made_anew_behind_it_by_themselves(
    home: Home, built: ExecuteInProcessResult, instance: DagsterInstance
) -> None:
    from social_assets.defs.partitions import range_tags

    def run(assets: Iterable[AssetKey], days: Collection[str]) -> set[str]:
        """Run, and return the days that were built."""
        first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
        job = batch().resolve_job_def("rebuild_days")
        made = job.execute_in_process(
            instance=instance, tags=range_tags(first, last), asset_selection=sorted(assets)
        ).get_asset_materialization_events()
        return {str(event.partition) for event in made}

    raw = AssetKey(["raw", "posts"])
    ticks = Ticks(batch(), instance)
    ticks.tick("first")
    before = ask("SELECT count() FROM star.dim_post")[0][0]
    (home.landing / "posts").mkdir(parents=True, exist_ok=True)
    (home.landing / "posts" / "late.ndjson").write_text('{"post_id": "late", "account_id": 1}\n')
    # The requested day, and the arrival day of the post without a time.
    days = run([raw], [str(LAST)])
    assert len(days) == 2
    assert ticks.tick("a late post in raw") == {}
    asked = ticks.tick("no more of them")
    assert asked == dict.fromkeys(behind(batch().resolve_asset_graph(), raw), days)
    run(asked, days)
    assert {key.path[0] for key in ticks.tick("made anew")} <= {"text", "features"}
    assert ask("SELECT count() FROM star.dim_post")[0][0] == before + 1


def test_a_run_that_no_command_started_loads_no_file_from_elsewhere(
    home: Home, instance: DagsterInstance, tmp_path: Path
) -> None:
    """Such a run is launched or re-executed in the UI."""
    from social_assets.defs.ingestion.jobs.load_job import run_config

    private = tmp_path / "private.ndjson"
    private.write_text('{"event_id": "stolen"}\n')
    result = (
        streaming()
        .resolve_job_def("load_files")
        .execute_in_process(
            instance=instance,
            run_config=run_config("engagement_events", [private]),
            raise_on_error=False,
        )
    )
    (failure,) = result.get_step_failure_events()
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert "SOCIAL_ASSETS_LOAD_FOLDERS" in str(described.description)


def test_a_bad_file_fails_its_run_and_says_why(
    home: Home, instance: DagsterInstance, tmp_path: Path
) -> None:
    from social_assets.defs.ingestion.jobs.load_job import run_config

    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with granted([broken]):
        result = (
            streaming()
            .resolve_job_def("load_files")
            .execute_in_process(
                instance=instance,
                run_config=run_config("community_interactions", [broken]),
                raise_on_error=False,
            )
        )
    (failure,) = result.get_step_failure_events()
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert "broken.parquet" in str(described.description)
    assert "broken Parquet" in str(described.description)


def test_the_file_sensor_asks_once_while_files_wait(
    home: Home, instance: DagsterInstance, built: ExecuteInProcessResult
) -> None:
    from sensors.file_arrival import file_arrival_sensor

    look = file_arrival_sensor(contract("posts"))
    assert isinstance(look(build_sensor_context(instance=instance)), SkipReason)
    folder = home.landing / "posts"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".half.ndjson").write_text("{}")
    assert isinstance(look(build_sensor_context(instance=instance)), SkipReason)
    (folder / "new.ndjson").write_text('{"post_id": "n", "account_id": 1}\n')
    answer = look(build_sensor_context(instance=instance))
    assert isinstance(answer, SensorResult)
    (request,) = answer.run_requests or []
    assert request.tags["social_assets/stream"] == "posts"
    assert request.run_key is None
    (folder / "new.ndjson").unlink()


def test_a_file_that_cannot_be_read_waits_in_failed_and_a_check_says_so(
    home: Home, instance: DagsterInstance, built: ExecuteInProcessResult
) -> None:
    from social_assets.defs.partitions import range_tags

    assert check_results(built)["raw/posts", "no_file_failed"].passed
    (home.landing / "posts" / "broken.ndjson.gz").write_bytes(b"\x1f\x8b{")
    result = (
        batch()
        .resolve_job_def("rebuild_days")
        .execute_in_process(
            instance=instance,
            tags=range_tags(LAST, LAST),
            asset_selection=[AssetKey(["raw", "posts"])],
        )
    )
    check = check_results(result)["raw/posts", "no_file_failed"]
    assert not check.passed
    assert check.metadata["names"].value == ["broken.ndjson.gz"]


def test_the_nightly_invariants_find_a_day_that_was_lost_and_see_that_it_is_back(
    built: ExecuteInProcessResult, instance: DagsterInstance
) -> None:
    def compare_days() -> dict[tuple[str, str], bool]:
        found = scheduled("nightly_verify_conservation", instance).get_asset_check_evaluations()
        return {(e.check_name, str(e.partition)): e.passed for e in found}

    compare_days()
    command(f"ALTER TABLE star.fact_video_interactions DETACH PARTITION '{FIRST}'")
    lost = compare_days()
    names = ("rows_equal_source", "sums_equal_facts")
    assert lost == {(name, of): False for name in names for of in (str(FIRST), str(None))}
    command(f"ALTER TABLE star.fact_video_interactions ATTACH PARTITION '{FIRST}'")
    assert compare_days() == dict.fromkeys(lost, True)
    assert compare_days() == {}


def test_the_nightly_look_at_partitions_and_topics_validates_every_one(
    built: ExecuteInProcessResult, instance: DagsterInstance
) -> None:
    by_name = Counter(
        name for _, name in check_results(scheduled("nightly_verify_partitions", instance))
    )
    assert by_name["no_partition_left_failed"] > by_name["no_partition_behind_its_sources"] > 15
    topics = check_results(scheduled("topics_every_ten_minutes", instance))
    assert Counter(name for _, name in topics) == {
        "topic_is_drained": len(contracts()),
        "no_range_was_lost": len(contracts()),
    }


def test_nightly_maintenance_says_what_it_freed(
    built: ExecuteInProcessResult, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three months later. Facts are kept for two days, runs for no day."""
    from social_assets.defs.maintenance import nightly as maintenance

    monkeypatch.setattr(maintenance, "_today", lambda: LAST + timedelta(days=92))
    monkeypatch.setattr(maintenance, "days_kept", lambda asset, among: 93)
    monkeypatch.setattr(maintenance, "RUNS_KEPT", timedelta())
    quarantined = sum(stream("video_interactions").quarantine.rows_by_day().values())
    facts = f"SELECT count() FROM star.fact_video_interactions WHERE event_date < '{LAST}'"
    ((expired,),) = ask(facts.replace(str(LAST), str(LAST - timedelta(days=1))))
    runs = instance.get_runs_count()
    freed = {
        event.asset_key.path[1]: {k: v.value for k, v in event.materialization.metadata.items()}
        for event in scheduled("nightly_maintenance", instance).get_asset_materialization_events()
    }
    assert freed.keys() == {*(c.name for c in contracts()), "warehouse", "dagster", "media"}
    of_stream = freed["video_interactions"]
    assert of_stream["rows_removed"] == quarantined > 0
    assert of_stream["files_after"] < of_stream["files_before"]
    assert of_stream["bytes_after"] < of_stream["bytes_before"]
    tables = [record.data for record in freed["warehouse"]["tables"].records]
    removed = {table["table"]: table["rows_removed"] for table in tables}
    assert removed["star.fact_video_interactions"] == expired > 0
    assert freed["warehouse"]["bytes_freed"] > 0
    assert freed["dagster"]["runs_deleted"] == runs + 1 - instance.get_runs_count() > 0
    assert freed["dagster"]["runs_kept_for_their_partitions"] > 0
