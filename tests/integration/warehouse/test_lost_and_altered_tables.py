"""Lost or altered tables and views are restored and named, and their days become pending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from dagster import AssetCheckResult

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.registry import contract, contracts
from social_assets.defs.monitoring.altered_table_checks import tables_are_as_declared
from social_assets.defs.stores import StoresResource
from social_assets.operate.doctor import services as doctor_services
from social_assets.warehouse.dbt.deployment import Deployment, deploy_warehouse
from social_assets.warehouse.dbt.deployment_record import (
    TABLE_STATE,
    DeploymentRecord,
    last_deployment,
    record_deployment,
)
from social_assets.warehouse.dbt.restore import (
    AlteredTableError,
    record_lost_rows,
    restore_tables,
)
from social_assets.warehouse.dbt.survey import Survey, altered_tables, survey
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    CLEANED,
    ROLLUPS,
    STAR,
    pending_days,
    record_finished,
)
from tests.integration.warehouse.conftest import WarehouseUnderTest
from tests.integration.warehouse.samples import STREAMS

EVENTS = "cleaned.engagement_events"
FACT = "star.fact_engagement"
FEED = "internal.fact_engagement__from__engagement_events"
NEW = "rollups.engagement_account_daily"
ALL_STREAMS = {each.name for each in contracts()}


@pytest.fixture
def filled(warehouse: WarehouseUnderTest) -> Iterator[WarehouseUnderTest]:
    """The warehouse with rows of all streams, deployed, without pending days."""
    deploy(warehouse)
    finish_pending(warehouse)
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    yield warehouse
    finish_pending(warehouse)


def deploy(warehouse: WarehouseUnderTest) -> Deployment:
    return deploy_warehouse(warehouse.endpoint, warehouse.home)


def finish_pending(warehouse: WarehouseUnderTest) -> None:
    record_finished(warehouse.client, pending_days(warehouse.client), "")


def pending(warehouse: WarehouseUnderTest, layer: str) -> set[str]:
    """The streams of which all days of a layer are pending."""
    found = pending_days(warehouse.client)
    return {day.stream for day in found if day.layer == layer and day.event_date == ALL_DAYS}


@contextmanager
def missing(warehouse: WarehouseUnderTest, table: str) -> Iterator[None]:
    """Rename a table during the block."""
    warehouse.client.command(f"RENAME TABLE {table} TO {table}_away")
    yield
    warehouse.client.command(f"RENAME TABLE {table}_away TO {table}")


def found(warehouse: WarehouseUnderTest, digest: str, last: DeploymentRecord | None) -> Survey:
    return survey(warehouse.client, warehouse.project.dbt.declared(), digest, last)


def recorded(warehouse: WarehouseUnderTest) -> DeploymentRecord:
    last = last_deployment(warehouse.client)
    assert last is not None
    return last


def test_every_table_of_a_deployed_warehouse_is_as_declared(
    deployed: WarehouseUnderTest,
) -> None:
    tables = [table for table in deployed.project.dbt.declared() if table.columns]
    assert len(tables) > 25
    assert altered_tables(deployed.client, tables) == []


def test_a_table_that_was_lost_before_an_upgrade_is_lost(filled: WarehouseUnderTest) -> None:
    last = recorded(filled)
    without_names = replace(last, tables={}, selects={}, server="")
    without_the_fact = {name: at for name, at in last.tables.items() if name != FACT}
    with missing(filled, FACT):
        assert found(filled, last.digest, last).lost == (FACT,)
        assert found(filled, "upgrade", last).lost == (FACT,)
        assert found(filled, "upgrade", without_names).lost == (FACT,)
        # The record of deployments is lost, too: there are rows, so it is no new warehouse.
        assert found(filled, "upgrade", None).lost == (FACT,)
        # A table that the upgrade brings is new.
        upgraded = found(filled, "upgrade", replace(last, tables=without_the_fact))
        assert (upgraded.lost, upgraded.new) == ((), (FACT,))


def test_all_days_of_a_table_that_an_upgrade_brings_are_pending(
    filled: WarehouseUnderTest,
) -> None:
    last, declared = recorded(filled), filled.project.dbt.declared()
    older = replace(last, tables={n: at for n, at in last.tables.items() if n != NEW})
    with missing(filled, NEW):
        record_lost_rows(filled.client, declared, found(filled, "upgrade", older), ())
    assert pending(filled, ROLLUPS) == {"engagement_events"}
    assert pending(filled, CLEANED) == set()


def test_without_the_record_of_loaded_batches_all_days_are_pending(
    filled: WarehouseUnderTest,
) -> None:
    """The loader inserts every batch again, and a table may no longer know its token."""
    last, declared = recorded(filled), filled.project.dbt.declared()
    for record in ("cleaned.loaded_batches", "cleaned.loaded_until"):
        with missing(filled, record):
            lost = found(filled, last.digest, last)
            # An older version, which did not record its tables, may not have had this table.
            older = replace(last, digest="older", tables={})
            assert found(filled, last.digest, older).lost == ()
        assert lost.lost == (record,)
        record_lost_rows(filled.client, declared, lost, ())
        assert pending(filled, CLEANED) == pending(filled, STAR) == ALL_STREAMS
        finish_pending(filled)


def test_nothing_is_lost_in_a_new_warehouse(warehouse: WarehouseUnderTest) -> None:
    """As after a first deployment that was killed."""
    deploy(warehouse)
    last = recorded(warehouse)
    warehouse.client.command("TRUNCATE TABLE cleaned.pending_days SYNC")
    with missing(warehouse, FACT):
        warehouse.client.command("TRUNCATE TABLE star.deployments SYNC")
        first = found(warehouse, "first", None)
        assert (first.lost, first.new) == ((), ())
    record_deployment(warehouse.client, last.digest, list(last.tables))


@pytest.mark.endurance
def test_days_of_a_table_lost_before_an_upgrade_are_pending(filled: WarehouseUnderTest) -> None:
    filled.client.command(f"DROP TABLE {EVENTS} SYNC")
    filled.client.command("INSERT INTO star.deployments (digest) VALUES ('older')")
    assert deploy(filled).remade == (EVENTS,)
    assert pending(filled, CLEANED) == {"engagement_events"}
    assert pending(filled, STAR) == pending(filled, ROLLUPS) == {"engagement_events"}


@pytest.mark.endurance
def test_altered_tables_and_views_are_restored_named_and_pending(
    filled: WarehouseUnderTest,
) -> None:
    query = f"SELECT as_select FROM system.tables WHERE concat(database, '.', name) = '{FEED}'"
    stood = filled.value(query)
    for statement in (
        f"ALTER TABLE {FEED} MODIFY QUERY {stood} LIMIT 1",
        "CREATE OR REPLACE VIEW star.dim_user AS SELECT 1 AS one",
        f"ALTER TABLE {EVENTS} DROP COLUMN origin",
        "ALTER TABLE cleaned.posts MODIFY COLUMN origin String",
        "ALTER TABLE star.fact_video_interactions DROP COLUMN importance_score",
        f"DROP TABLE {FACT} SYNC",
        f"CREATE TABLE {FACT} (event_date Date, user_key FixedString(16), value Float64)"
        " ENGINE = ReplacingMergeTree ORDER BY user_key",
    ):
        filled.client.command(statement)
    done = deploy(filled)
    fact = next(told for told in done.altered if told.startswith(FACT))
    assert "its engine is ReplacingMergeTree, not MergeTree" in fact
    assert "it is ordered by user_key, not account_key, post_key, event_time" in fact
    assert "it is partitioned by nothing, not event_date" in fact
    assert set(done.altered) == {
        fact,
        f"{EVENTS} (has no column origin)",
        "cleaned.posts (column origin is String, not LowCardinality(String))",
        "star.fact_video_interactions (has no column importance_score)",
        f"{FEED} (what it reads)",
        "star.dim_user (what it reads)",
    }
    assert f"altered in the warehouse, and restored: {', '.join(done.altered)}" in str(done)
    assert pending(filled, CLEANED) == {"engagement_events", "posts"}
    assert pending(filled, STAR) == pending(filled, ROLLUPS) == ALL_STREAMS
    assert filled.value(query) == stood
    assert filled.value("SELECT count() FROM star.dim_user WHERE user_key_hex != ''") > 0
    assert str(deploy(filled)) == "nothing to do"
    assert_inserts_reach_the_facts(filled)


def test_doctor_and_check_name_a_lost_table_and_an_altered_one_until_they_are_restored(
    filled: WarehouseUnderTest,
) -> None:
    rollup, was, other = (
        "rollups.engagement_hourly",
        "UInt64",
        "SimpleAggregateFunction(sum, UInt64)",
    )
    column = f"ALTER TABLE {rollup} MODIFY COLUMN events"
    assert troubles(filled) == []
    assert check_result("engagement_events").passed
    filled.client.command(f"{column} {was}")
    with missing(filled, FACT):
        found = [
            f"{FACT} is missing",
            f"{rollup} (column events is {was}, not {other}) is altered",
        ]
        assert troubles(filled) == found
        result = check_result("engagement_events")
        assert (result.passed, result.metadata["differences"].value) == (False, found)
        assert "social-assets deploy" in str(result.description)
        assert check_result("posts").passed
    filled.client.command(f"{column} {other}")
    assert troubles(filled) == []
    assert str(deploy(filled)) == "nothing to do"


def troubles(warehouse: WarehouseUnderTest) -> list[str]:
    """The doctor's diagnostics of the warehouse's tables that are not ok."""
    found = doctor_services.clickhouse(warehouse.home)
    return [each.found for each in found if each.subject == "warehouse" and each.remedy]


def check_result(stream: str) -> AssetCheckResult:
    result = tables_are_as_declared(contract(stream))(
        clickhouse=ClickHouseResource(), stores=StoresResource(clickhouse=ClickHouseResource())
    )
    assert isinstance(result, AssetCheckResult)
    return result


def test_what_is_as_declared_after_a_change_is_left_alone(filled: WarehouseUnderTest) -> None:
    filled.client.command(f"ALTER TABLE {FACT} MODIFY COMMENT 'Ours'")
    filled.client.command(f"ALTER TABLE {FACT} ADD COLUMN ours String")
    done = deploy(filled)
    assert (done.is_changed, str(done)) == (False, "nothing to do")
    assert pending_days(filled.client) == []
    filled.client.command(f"ALTER TABLE {FACT} DROP COLUMN ours")


def test_a_change_in_the_second_of_the_deployment_is_found(filled: WarehouseUnderTest) -> None:
    """ClickHouse says in seconds when a table was changed."""
    last, changed = recorded(filled), ""
    query = f"SELECT metadata_modification_time FROM system.tables WHERE table = '{FACT[5:]}'"
    while changed != filled.value(query):
        filled.client.command(f"ALTER TABLE {FACT} MODIFY COMMENT 'Deployed'")
        record_deployment(filled.client, last.digest, list(last.tables))
        assert found(filled, last.digest, recorded(filled)).is_unchanged
        changed = filled.value(query)
        filled.client.command(f"ALTER TABLE {FACT} MODIFY COMMENT 'Ours'")
    assert not found(filled, last.digest, recorded(filled)).is_unchanged


def test_a_table_with_rows_that_cannot_be_rebuilt_is_kept_and_named(
    filled: WarehouseUnderTest,
) -> None:
    """Its days are gone from the cleaned table, as after retention."""
    filled.client.command(f"TRUNCATE TABLE {EVENTS} SYNC")
    rows = filled.value(f"SELECT count() FROM {FACT}")
    columns = filled.value(
        "SELECT arrayStringConcat(groupArray(if(name = 'value', 'toString(value) AS value', name)),"
        " ', ') FROM system.columns WHERE database = 'star' AND table = 'fact_engagement'"
    )
    for change in (f"SELECT {columns} FROM {FACT}", f"SELECT * FROM {FACT}"):
        filled.client.command(
            f"CREATE TABLE {FACT}_other ENGINE = MergeTree PARTITION BY event_date"
            f" ORDER BY (account_key, event_time) AS {change}"
        )
        filled.client.command(f"EXCHANGE TABLES {FACT} AND {FACT}_other")
        if "toString" in change:
            # Nothing can be inserted, so the deployment fails.
            with pytest.raises(AlteredTableError) as error:
                deploy(filled)
            told = str(error.value)
            assert "column value is String, not Float64" in told
        else:
            for _ in range(2):
                done = deploy(filled)
                told = str(done)
                assert (done.is_changed, done.remade, done.altered) == (False, (), ())
        assert f"{FACT} (" in told
        assert "it is ordered by account_key, event_time, not account_key, post_key" in told
        assert "are gone from cleaned.engagement_events" in told
        assert f"RENAME TABLE {FACT} TO {FACT}_kept" in told
        assert filled.value(f"SELECT count() FROM {FACT}") == rows
        assert pending_days(filled.client) == []
        filled.client.command(f"EXCHANGE TABLES {FACT} AND {FACT}_other")
        filled.client.command(f"DROP TABLE {FACT}_other SYNC")
    assert str(deploy(filled)) == "nothing to do"


def test_ids_that_were_numbers_become_text_also_on_days_that_cannot_be_rebuilt(
    filled: WarehouseUnderTest,
) -> None:
    """The tables are as releases up to 0.2 made them, and days are gone from the cleaned tables."""
    before = {table: rows_of(filled, table) for table in WITH_IDS}
    staging = "SELECT countIf(name LIKE '%staging%') FROM system.tables"
    left_by_killed_runs = filled.value(staging)
    for table, column in WITH_IDS.items():
        with_numbers(filled, table, column)
    filled.empty("cleaned")
    done = deploy(filled)
    assert set(done.as_text) == {f"{table} ({column})" for table, column in WITH_IDS.items()}
    assert "numbers converted to text: star.dim_account_daily (account_id)" in str(done)
    assert {table: rows_of(filled, table) for table in WITH_IDS} == before
    assert pending(filled, STAR) == ALL_STREAMS
    assert filled.value(staging) == left_by_killed_runs
    assert str(deploy(filled)) == "nothing to do"
    assert_inserts_reach_the_facts(filled)


WITH_IDS = {
    "star.dim_account_daily": "account_id",
    "star.dim_community_daily": "community_id",
    "star.dim_event_daily": "event_id",
    "star.dim_video_daily": "video_id",
}


def rows_of(warehouse: WarehouseUnderTest, table: str) -> list[tuple[object, ...]]:
    (found,) = (each for each in warehouse.tables if each.qualified_name == table)
    return warehouse.rows_of(found)


def with_numbers(warehouse: WarehouseUnderTest, table: str, column: str) -> None:
    """Make a table with a text id what it was when the id was a number."""
    statement = warehouse.value(
        "SELECT create_table_query FROM system.tables\n"
        f"WHERE concat(database, '.', name) = '{table}'"
    )
    statement = statement.replace(f"`{column}` String", f"`{column}` Int64")
    warehouse.client.command(statement.replace(table, f"{table}_old", 1))
    warehouse.client.command(f"INSERT INTO {table}_old SELECT * FROM {table}")
    warehouse.client.command(f"EXCHANGE TABLES {table} AND {table}_old")
    warehouse.client.command(f"DROP TABLE {table}_old SYNC")


def test_a_column_that_a_contract_has_gained_is_added_at_the_upgrade(
    filled: WarehouseUnderTest,
) -> None:
    last = recorded(filled)
    filled.client.command(f"ALTER TABLE {EVENTS} DROP COLUMN origin")
    before = {**last.tables, EVENTS: recorded_now(filled, EVENTS)}
    (altered,) = found(filled, "upgrade", replace(last, tables=before)).altered
    assert (altered.missing_columns, altered.is_touched) == (("origin",), False)
    restore_tables(filled.client, [altered], [], contracts())
    assert found(filled, "upgrade", last).altered == ()


def recorded_now(warehouse: WarehouseUnderTest, table: str) -> int:
    """The state of a table, as a deployment records it now."""
    state: int = warehouse.value(
        f"SELECT {TABLE_STATE} FROM system.tables\nWHERE concat(database, '.', name) = '{table}'"
    )
    return state


def assert_inserts_reach_the_facts(warehouse: WarehouseUnderTest) -> None:
    warehouse.empty("cleaned", "star", "rollups")
    for name, rows in STREAMS.items():
        warehouse.stream(name, *rows())
    rows = warehouse.value(f"SELECT count() FROM {EVENTS}")
    assert rows == warehouse.value(f"SELECT count() FROM {FACT}") > 0
