"""A backfill states its plan, carries it out, and empties every layer of days without a source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from dagster import AssetKey
from deltalake import DeltaTable

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.cli.main import cli
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples import generate
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from social_assets.operate.runs.backfill_plan import (
    BackfillPlan,
    NoDaysError,
    NoSuchAssetError,
    Swap,
    plan_backfill,
)
from social_assets.operate.runs.failures import RunFailedError
from social_assets.operate.runs.instance import open_instance
from social_assets.operate.runs.start import rebuild_days
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.transform.validate import rules

pytestmark = pytest.mark.endurance

# Yesterday, as the freshness checks use the clock.
LAST = datetime.now(UTC).date() - timedelta(days=1)
FIRST = LAST - timedelta(days=2)
EMPTIED = FIRST + timedelta(days=1)


FILLED = [contract(each.name) for each in SAMPLE_STREAMS]
"""The streams that have samples, and so rows."""


@pytest.fixture(scope="module")
def stores(home: Home) -> Iterator[Stores]:
    """The stores of the home, filled by loads before any backfill."""
    found = StoresResource(clickhouse=ClickHouseResource()).stores()
    samples = generate(home.samples, events=1_500, days=3, end=LAST, seed=3)
    with pytest.raises(NoDaysError, match="load files first"):
        plan_backfill(home, None, None)
    for filled in FILLED:
        for file in samples:
            if file.stream == filled.name:
                ingest_files(found.of(filled), [file.path], file.date)
    yield found


def swap(plan: BackfillPlan, asset: str) -> Swap:
    (found,) = (each for each in plan.swaps if each.asset.to_user_string() == asset)
    return found


def days_of(stores: Stores) -> dict[str, set[date]]:
    """The days of each stored table that have rows."""
    held = {
        f"{layer}/{c.name}": set(stores.lake.table(layer, c).rows_by_day())
        for layer in ("raw", "cleaned", "quarantine")
        for c in FILLED
    }
    with stores.clickhouse.client("test") as client:
        tables = client.query(
            "SELECT concat(database, '.', table) FROM system.parts\n"
            "WHERE active AND rows > 0 AND partition LIKE '20%'\n"
            "  AND database IN ('cleaned', 'star', 'rollups') GROUP BY ALL"
        ).result_rows
        for (table,) in tables:
            days = client.query(f"SELECT DISTINCT event_date FROM {table}").result_rows
            held[table] = {row[0] for row in days}
    return held


def test_without_dates_the_days_held_are_one_run_and_nothing_is_emptied(
    home: Home, stores: Stores
) -> None:
    plan = plan_backfill(home, None, None)
    # And the day of arrival, which has the records without a readable time.
    assert any(begin <= FIRST and until >= LAST for begin, until in plan.runs)
    assert [each for each in plan.swaps if each.emptied or each.refused] == []
    held = stores.of(FILLED[0]).raw.rows_by_day()
    name = f"raw/{FILLED[0].name}"
    assert swap(plan, name).rows == sum(held.values())
    fact, cleaned = swap(plan, "star/fact_engagement"), swap(plan, "cleaned/engagement_events")
    assert fact.rows == cleaned.rows == fact.source_rows


def test_only_the_assets_named_are_planned_and_an_unknown_one_is_refused(home: Home) -> None:
    plan = plan_backfill(home, FIRST, LAST, ["star/fact_engagement"])
    assert [each.asset.to_user_string() for each in plan.swaps] == ["star/fact_engagement"]
    assert plan.partitions == 3
    with pytest.raises(NoSuchAssetError, match="no asset star/nothing to backfill"):
        plan_backfill(home, FIRST, LAST, ["star/nothing"])


def test_a_dry_run_prints_the_plan_and_changes_nothing(home: Home, stores: Stores) -> None:
    before = {c.name: DeltaTable(stores.of(c).cleaned.uri).version() for c in FILLED}
    args = ["--home", str(home.path), "backfill", "--from", str(FIRST), "--to", str(LAST)]
    shown = CliRunner().invoke(cli, [*args, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert f"1 runs ({FIRST} to {LAST})" in shown.output
    assert "star/fact_engagement" in shown.output
    assert before == {c.name: DeltaTable(stores.of(c).cleaned.uri).version() for c in FILLED}


def test_a_backfill_makes_the_assets_and_days_named_and_no_others(
    home: Home, stores: Stores
) -> None:
    days = ["--from", str(FIRST), "--to", str(EMPTIED)]
    args = ["--home", str(home.path), "backfill", *days, "rollups/engagement_daily"]
    planned = CliRunner().invoke(cli, [*args, "--dry-run"])
    assert f"1 runs ({FIRST} to {EMPTIED}), 2 partitions" in planned.output
    done = CliRunner().invoke(cli, args)
    assert done.exit_code == 0, done.output
    assert f"{FIRST} to {EMPTIED}: 2 materializations" in done.output
    with open_instance(home) as instance:
        made = {key.to_user_string() for key in instance.all_asset_keys()}
        assert made == {"rollups/engagement_daily"}
        made_days = instance.get_materialized_partitions(AssetKey(["rollups", "engagement_daily"]))
        assert made_days == {str(FIRST), str(EMPTIED)}


def test_a_day_whose_raw_became_empty_becomes_empty_in_every_layer_and_no_other_day_does(
    home: Home, stores: Stores
) -> None:
    before = days_of(stores)
    for filled in FILLED:
        DeltaTable(stores.of(filled).raw.uri).delete(f"event_date = '{EMPTIED}'")
    planned = plan_backfill(home, EMPTIED, EMPTIED)
    stored = [each for each in planned.swaps if each.rows]
    assert {each.emptied for each in stored} == {(EMPTIED,)}
    assert {each.asset.path[0] for each in stored} == {"cleaned", "quarantine", "star", "rollups"}
    report = rebuild_days(home, EMPTIED, EMPTIED, (), lambda _: None)
    # Other days of the samples have too many rejected records, so the rule fails.
    of_rules = {f"cleaned/{c.name} {rule.name}" for c in FILLED for rule in rules(c)}
    assert set(report.failed_checks) <= of_rules
    after = days_of(stores)
    assert {table: days - {EMPTIED} for table, days in before.items() if days - {EMPTIED}} == {
        table: days for table, days in after.items() if days
    }
    assert EMPTIED not in set().union(*after.values())


def test_a_day_that_lost_its_raw_to_retention_is_refused_and_left_as_it_is(
    home: Home, stores: Stores
) -> None:
    engagement = next(c for c in FILLED if c.name == "engagement_events")
    stream = stores.of(engagement)
    rows = stream.raw.rows_by_day()[FIRST]
    stores.lake.expired_days().record("raw/engagement_events", {FIRST: rows})
    DeltaTable(stream.raw.uri).delete(f"event_date = '{FIRST}'")
    before = stream.cleaned.rows_by_day()
    asked = plan_backfill(home, FIRST, LAST, ["cleaned/engagement_events"])
    assert {each.asset.path[0] for each in asked.swaps} == {"cleaned", "quarantine"}
    assert {each.refused for each in asked.swaps} == {(FIRST,)}
    assert {each.emptied for each in asked.swaps} == {()}
    assert all(begin > FIRST for begin, _ in plan_backfill(home, None, None).runs)
    with pytest.raises(RunFailedError, match="gone from raw/engagement_events by the retention"):
        rebuild_days(home, FIRST, FIRST, ["cleaned/engagement_events"], lambda _: None)
    assert stream.cleaned.rows_by_day() == before
