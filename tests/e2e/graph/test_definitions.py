"""The definitions before a run: keys, groups, owners, schemas, checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSpec,
    AutomationConditionSensorDefinition,
    BackfillPolicy,
    Definitions,
)
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy  # not exported

from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.jobs.changed_days import built_from, fed_by
from social_assets.defs.maintenance.rebuild_jobs import REBUILD, REBUILD_LAYERS, TRAIN_TEXTS
from social_assets.defs.monitoring.verification import VERIFY_PARTITIONS
from social_assets.defs.partitions import daily
from social_assets.ingest.connectors.registry import connectors
from social_assets.metrics.registry import metrics_from, subject_of
from social_assets.operate.runs.locations import Location
from social_assets.quality.invariants import invariants
from social_assets.serving.dashboards.registry import dashboards
from social_assets.serving.reports.report import reports
from social_assets.transform.validate import rules
from social_assets.warehouse.text_tables import SENTIMENT, VIEWS

CHECKOUT = Path(__file__).resolve().parents[3]
LAYERS = {
    *("platforms", "raw", "cleaned", "quarantine", "star", "rollups", "features", "text", "recsys"),
    "forecasts",
    "predictions",
}
FED, BUILT = {"star", "rollups"}, {"star", "rollups", "features"}
"""The layers that views feed, and those that dbt builds."""
WITHOUT_COLUMNS = {
    *("platforms", "media", "recsys", "privacy", "maintenance", "reports", "dashboards"),
}
"""Platforms, pictures, artifacts, upkeep and pages: no tables."""
FEATURE_STORE = {AssetKey(["features", "online"]), AssetKey(["features", "training_set"])}
TEXT_MODELS = {AssetKey(["text", "challenger"]), AssetKey(["text", "champion"])}

SIXTH_STREAM = '''
"""Direct messages: one row a message and day."""

import pandera.ibis as pa

from social_assets.contracts.contract import Contract


class Message(pa.DataFrameModel):
    """One message from one user to another."""

    message_id: str = pa.Field(description="The message")
    sender_id: str = pa.Field(description="Who wrote it")
    length: int = pa.Field(ge=0, description="Characters")


CONTRACT = Contract(
    name="messages", model=Message, key=("message_id",), formats=("ndjson",), owner="team:chat"
)
'''


@pytest.fixture(scope="module")
def defs(home: Home) -> Definitions:
    return Location.BATCH.definitions()


@pytest.fixture(scope="module")
def streaming(home: Home) -> Definitions:
    return Location.STREAMING.definitions()


@pytest.fixture(scope="module")
def specs(defs: Definitions) -> list[AssetSpec]:
    return list(defs.resolve_all_asset_specs())


def test_every_asset_has_description_owner_kinds_group_and_columns(specs: list[AssetSpec]) -> None:
    lacking = {
        spec.key.to_user_string(): [
            name
            for name, value in {
                "description": spec.description,
                "owners": spec.owners,
                "kinds": spec.kinds,
                "columns": spec.group_name in WITHOUT_COLUMNS
                or spec.key in TEXT_MODELS
                or spec.metadata.get("dagster/column_schema"),
            }.items()
            if not value
        ]
        for spec in specs
    }
    assert {key: names for key, names in lacking.items() if names} == {}


def test_the_group_of_an_asset_is_its_layer(specs: list[AssetSpec]) -> None:
    assert {spec.group_name for spec in specs} == LAYERS | {
        *("media", "privacy", "maintenance", "reports", "dashboards")
    }
    assert all(spec.key.path[0] == spec.group_name for spec in specs)


def test_each_rollup_names_the_metrics_that_it_answers(specs: list[AssetSpec]) -> None:
    for spec in specs:
        table = ".".join(spec.key.path)
        # The views of scored texts are part of the asset that has the texts.
        tables = VIEWS if table == SENTIMENT else (table,)
        found = (each.name for name in tables for each in metrics_from(name))
        answered = ", ".join(dict.fromkeys(found))
        shown = spec.metadata.get("metrics")
        assert (shown.value if shown else "") == answered, spec.key


def test_each_dashboard_and_report_is_downstream_of_the_tables_that_it_reads(
    specs: list[AssetSpec],
) -> None:
    made = {spec.key for spec in specs}
    upstream = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}
    for dashboard in dashboards():
        read = upstream[AssetKey(["dashboards", dashboard.name])]
        assert read <= made, dashboard.name
        subjects = {subject_of(name).name for tile in dashboard.tiles for name in tile.metrics}
        # The tiles of the platform's own figures ask no metric.
        assert bool(read) == bool(subjects), dashboard.name
    read = upstream[AssetKey(["dashboards", "engagement_by_platform"])]
    assert AssetKey(["rollups", "engagement_platform_daily"]) in read
    read = upstream[AssetKey(["dashboards", "account_overview"])]
    assert AssetKey(["text", "sentiment"]) in read
    for report in reports():
        assert upstream[AssetKey(["reports", report.name])] <= made


def test_each_stream_has_its_three_layers_and_all_its_checks(
    defs: Definitions, specs: list[AssetSpec]
) -> None:
    keys = {spec.key for spec in specs}
    checks = {(k.asset_key, k.name) for k in defs.resolve_asset_graph().asset_check_keys}
    for contract in contracts():
        assert {
            AssetKey([layer, contract.name]) for layer in ("raw", "cleaned", "quarantine")
        } <= keys
        cleaned = AssetKey(["cleaned", contract.name])
        named = {rule.name for rule in rules(contract)} | {
            "raw_equals_cleaned_plus_quarantine",
            "lake_equals_warehouse",
            "fresh",
        }
        assert {(cleaned, name) for name in named} <= checks


def test_the_graph_reads_from_raw_to_recommendations(specs: list[AssetSpec]) -> None:
    order = ["raw", "cleaned", "star", "rollups"]
    upstream = {spec.key: {dep.asset_key for dep in spec.deps} for spec in specs}
    for spec in specs:
        for dep in upstream[spec.key]:
            if spec.group_name in order and dep.path[0] in order:
                assert order.index(dep.path[0]) <= order.index(str(spec.group_name))


MADE_BY_DAY = ("raw", "cleaned", "quarantine", "star", "rollups", "features", "text")


def test_every_asset_and_check_is_of_batch_and_every_writing_job_of_streaming(
    defs: Definitions, streaming: Definitions
) -> None:
    """Dagster 1.13 fails a backfill of an asset whose checks are in another code location."""
    assert set(streaming.resolve_asset_graph().get_all_asset_keys()) == set()
    drains = {f"drain_{each.name}" for each in contracts()}
    collecting = {f"collect_{each.platform.lower()}" for each in connectors()}
    loading = {"load_files", "unload_batches", *drains, *collecting}
    assert set(streaming.get_repository_def().job_names) == loading
    assert loading.isdisjoint(defs.get_repository_def().job_names)


def test_a_range_of_days_is_one_run_of_every_asset_that_is_made_by_day(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    made = [graph.get(key) for key in sorted(graph.get_all_asset_keys())]
    together = [node for node in made if node.group_name in MADE_BY_DAY]
    # The persons of a day depend on the links of all days, a text model on the labels of all days,
    # and features on the days before theirs.
    of_all_days = {AssetKey(["star", "dim_person"]), *TEXT_MODELS, *FEATURE_STORE}
    by_day = [node for node in together if node.key not in of_all_days]
    assert {node.key.path[0] for node in by_day} == set(MADE_BY_DAY)
    assert [n.key for n in by_day if n.backfill_policy != BackfillPolicy.single_run()] == []
    assert [n.key for n in by_day if not n.is_partitioned] == []


def test_what_writes_to_a_stream_takes_its_place_in_the_streams_pool(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for contract in contracts():
        for layer in ("raw", "cleaned", "quarantine", "maintenance"):
            pools = graph.get(AssetKey([layer, contract.name])).pools
            assert pools == {f"stream_{contract.name}"}, layer


def test_the_assets_of_a_stream_grow_stale_as_its_contract_says(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for contract in contracts():
        for layer in ("raw", "cleaned"):
            policy = graph.get(AssetKey([layer, contract.name])).freshness_policy
            assert isinstance(policy, TimeWindowFreshnessPolicy)
            assert policy.warn_window.to_timedelta() == contract.freshness.warn_after
            assert policy.fail_window.to_timedelta() == contract.freshness.fail_after


def test_each_check_of_raw_to_rollups_and_of_texts_is_made_by_a_run_that_the_demo_starts(
    defs: Definitions,
) -> None:
    graph = defs.resolve_asset_graph()
    made = {
        key
        for job in (REBUILD, TRAIN_TEXTS, VERIFY_PARTITIONS)
        for key in defs.resolve_job_def(job).asset_layer.asset_graph.asset_check_keys
    }
    shown = {key for key in graph.asset_check_keys if key.asset_key.path[0] in REBUILD_LAYERS}
    assert shown - made == set()


def test_invariants_are_checked_by_day(defs: Definitions) -> None:
    graph = defs.resolve_asset_graph()
    checks = [AssetCheckKey(invariant.asset, invariant.name) for invariant in invariants()]
    assert [key for key in checks if graph.get_check_spec(key).partitions_def != daily()] == []


def test_what_comes_at_night_and_what_watches_starts_switched_on(
    defs: Definitions, streaming: Definitions
) -> None:
    schedules = {s.name for s in defs.schedules or () if s.default_status.value == "RUNNING"}
    assert schedules == {
        "nightly_deletions",
        "nightly_rebuild",
        "nightly_maintenance",
        "nightly_verify_conservation",
        "nightly_verify_partitions",
    }
    watching = [*(defs.sensors or ()), *(streaming.sensors or ())]
    sensors = {s.name for s in watching if s.default_status.value == "RUNNING"}
    assert {"alerts", "rebuild_changed_days", "train_and_serve"} <= sensors
    assert {f"{c.name}_{source}" for c in contracts() for source in ("files", "kafka")} <= sensors


def test_what_a_stream_feeds_is_what_the_graph_makes_of_its_cleaned_table(
    defs: Definitions,
) -> None:
    """Loads and drains compute these assets without the graph, because they start without the
    dbt manifest.
    """
    graph = defs.resolve_asset_graph()

    def behind(key: AssetKey, layers: set[str]) -> set[AssetKey]:
        near = {child for child in graph.get(key).child_keys if child.path[0] in layers}
        return near.union(*(behind(child, layers) for child in near))

    for contract in contracts():
        for layers, told in ((FED, fed_by(contract.name)), (BUILT, built_from(contract.name))):
            found = behind(AssetKey(["cleaned", contract.name]), layers)
            # A view has no condition, because it stores no rows.
            made = {key for key in found if graph.get(key).automation_condition}
            assert set(told) == made - {AssetKey(["star", "dim_person"]), *FEATURE_STORE}
            assert len(told) == len(set(told))
    assert len(fed_by("posts")) > 0
    assert AssetKey(["features", "sessions"]) in built_from("engagement_events")
    assert not [key for key in fed_by("engagement_events") if key.path[0] == "features"]


def test_a_rebuild_that_fails_is_tried_twice_again_and_nothing_else_is(defs: Definitions) -> None:
    twice = {"dagster/max_retries": "2"}
    (sensor,) = (s for s in defs.sensors or () if s.name == "rebuild_changed_days")
    assert isinstance(sensor, AutomationConditionSensorDefinition)
    assert sensor.run_tags == twice
    assert defs.resolve_job_def("rebuild_days").tags == twice
    for profile in ("docker/dagster.yaml", "docker/production/dagster.yaml"):
        retries = yaml.safe_load((CHECKOUT / profile).read_text())["run_retries"]
        assert retries == {"enabled": True, "max_retries": 0}, profile


@pytest.mark.endurance
def test_a_sixth_stream_is_one_file(home: Home, tmp_path: Path) -> None:
    assert len(SIXTH_STREAM.splitlines()) < 60
    (tmp_path / "messages.py").write_text(SIXTH_STREAM)
    program = (
        "from social_assets.locations import batch, streaming\n"
        "assert streaming.defs().resolve_job_def('drain_messages')\n"
        "keys = {s.key.to_user_string() for s in batch.defs().resolve_all_asset_specs()}\n"
        "assert {'raw/messages', 'cleaned/messages', 'quarantine/messages'} <= keys, keys\n"
        "from social_assets.warehouse.dbt.project import sources_yaml\n"
        "assert 'name: messages' in sources_yaml()\n"
    )
    environment = {
        **os.environ,
        "SOCIAL_ASSETS_CONTRACTS": str(tmp_path),
        "SOCIAL_ASSETS_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_streaming_runs_import_neither_dbt_nor_checks_nor_anything_heavy(home: Home) -> None:
    program = (
        "import sys\n"
        "from social_assets.locations.streaming import defs\n"
        "defs().get_repository_def().load_all_definitions()\n"
        "heavy = {'dagster_dbt', 'dbt', 'pyspark', 'implicit', 'chdb', 'sklearn', 'scipy',\n"
        "         'ibis.backends.sql.compilers'}\n"
        "checks = {m for m in sys.modules if m.startswith('social_') and m.endswith('_checks')}\n"
        "print(sorted(checks | heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
