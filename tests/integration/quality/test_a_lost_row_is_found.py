"""A row deleted in one place breaks the invariants of that place, and no others."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from deltalake import DeltaTable

from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts
from social_assets.demo.samples.sample_set import STREAMS as SAMPLE_STREAMS
from social_assets.lake.delta import LakeTable
from social_assets.pipeline.stores import Stores
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import RowsEqualSource, SumsEqualFacts, invariants
from social_assets.warehouse.dbt.tables import Warehouse
from tests.integration.quality.conftest import LAST

pytestmark = pytest.mark.endurance

Broken = set[tuple[str, str]]
ACCOUNTED, LOADED = "raw_equals_cleaned_plus_quarantine", "lake_equals_warehouse"
FACT, ROLLUP = "rows_equal_source", "sums_equal_facts"
STREAMS = [each.name for each in SAMPLE_STREAMS]


def broken(stores: Stores) -> Broken:
    """The invariants that do not hold."""
    return {
        (invariant.asset.to_user_string(), invariant.name)
        for invariant in invariants()
        if not all(each.passed for each in compare_days(invariant, stores, None))
    }


def facts_of(stream: str) -> list[str]:
    return [
        invariant.fact.qualified_name
        for invariant in invariants()
        if isinstance(invariant, RowsEqualSource) and invariant.stream == stream
    ]


def rollups_of(fact: str) -> list[str]:
    return [
        invariant.rollup.qualified_name
        for invariant in invariants()
        if isinstance(invariant, SumsEqualFacts)
        and fact in {".".join(f.path) for f in invariant.facts}
    ]


def key(table: str) -> str:
    return table.replace(".", "/")


@contextmanager
def lost_in_lake(table: LakeTable) -> Iterator[None]:
    """Delete one row during the block."""
    delta = DeltaTable(table.uri)
    version, row = delta.version(), table.read().slice(0, 1).to_pylist()[0]
    done = delta.delete(
        f"batch_id = '{row['batch_id']}' AND \"offset\" = {row['offset']} "
        f'AND "partition" = {row["partition"]}'
    )
    assert done["num_deleted_rows"] == 1
    yield
    DeltaTable(table.uri).restore(version)


@contextmanager
def lost_in_warehouse(stores: Stores, *tables: str) -> Iterator[None]:
    """Delete one row of each table during the block."""
    with stores.clickhouse.client() as client:
        for table in tables:
            client.command(f"CREATE TABLE {table}__kept AS {table}")
            client.command(f"ALTER TABLE {table}__kept ATTACH PARTITION ALL FROM {table}")
            client.command(
                f"DELETE FROM {table} WHERE (_part, _part_offset) IN "
                f"(SELECT _part, _part_offset FROM {table} LIMIT 1)"
            )
        yield
        for table in tables:
            client.command(f"TRUNCATE TABLE {table} SYNC")
            client.command(f"ALTER TABLE {table} ATTACH PARTITION ALL FROM {table}__kept")
            client.command(f"DROP TABLE {table}__kept SYNC")


def test_every_stream_fact_and_rollup_has_its_invariant_and_all_hold(
    stores: Stores, home: Home
) -> None:
    project = Warehouse.of(home)
    facts = {t.asset for t in project.tables("star") if t.name.startswith("fact_")}
    rollups = {t.asset for t in project.tables("rollups")}
    assert {invariant.asset for invariant in invariants() if invariant.name == FACT} == facts
    assert {invariant.asset for invariant in invariants() if invariant.name == ROLLUP} == rollups
    for name in (ACCOUNTED, LOADED):
        assert {
            invariant.asset.path[-1] for invariant in invariants() if invariant.name == name
        } == {each.name for each in contracts()}
    assert broken(stores) == set()


def test_every_sum_of_a_rollup_is_compared(stores: Stores) -> None:
    for invariant in invariants():
        if isinstance(invariant, SumsEqualFacts):
            sums = [c for c, kind in invariant.rollup.columns.items() if kind.startswith("Simple")]
            assert list(invariant.measures) == sums


@pytest.mark.parametrize("stream", STREAMS)
def test_a_row_lost_in_raw(stores: Stores, stream: str) -> None:
    with lost_in_lake(stores.of(contract(stream)).raw):
        assert broken(stores) == {(f"cleaned/{stream}", ACCOUNTED)}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_row_lost_in_cleaned(stores: Stores, stream: str) -> None:
    with lost_in_lake(stores.of(contract(stream)).cleaned):
        assert broken(stores) == {(f"cleaned/{stream}", ACCOUNTED), (f"cleaned/{stream}", LOADED)}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_row_lost_in_quarantine(stores: Stores, stream: str) -> None:
    with lost_in_lake(stores.of(contract(stream)).quarantine):
        assert broken(stores) == {(f"cleaned/{stream}", ACCOUNTED)}


@pytest.mark.parametrize("stream", STREAMS)
def test_a_row_lost_in_the_warehouses_cleaned(stores: Stores, stream: str) -> None:
    facts = {(key(fact), FACT) for fact in facts_of(stream)}
    with lost_in_warehouse(stores, f"cleaned.{stream}"):
        assert broken(stores) == {(f"cleaned/{stream}", LOADED), *facts}


def test_a_row_lost_in_a_fact(stores: Stores, home: Home) -> None:
    tables = [table.qualified_name for table in Warehouse.of(home).tables("star")]
    for fact in [name for name in tables if name.startswith("star.fact_")]:
        with lost_in_warehouse(stores, fact):
            rollups = {(key(rollup), ROLLUP) for rollup in rollups_of(fact)}
            assert broken(stores) == {(key(fact), FACT), *rollups}


def test_a_row_lost_in_a_rollup(stores: Stores, home: Home) -> None:
    increments = "star.post_counter_increments"
    with stores.clickhouse.client() as client:
        # The samples have no counters of posts.
        client.command(
            f"INSERT INTO {increments} (event_date, collected_at, platform, counter, added)\n"
            f"VALUES ('{LAST}', '{LAST} 10:00:00', 'X', 'likes', 3)"
        )
    tables = [table.qualified_name for table in Warehouse.of(home).tables("rollups")]
    assert rollups_of(increments) == ["rollups.post_counters_daily"]
    for rollup in tables:
        with lost_in_warehouse(stores, rollup):
            assert broken(stores) == {(key(rollup), ROLLUP)}
    with stores.clickhouse.client() as client:
        for table in (increments, *rollups_of(increments)):
            client.command(f"TRUNCATE TABLE {table} SYNC")


def test_a_row_lost_on_its_way_into_cleaned_breaks_one_invariant(stores: Stores) -> None:
    """All tables behind the loss agree with each other."""
    raw = stores.of(contract("posts")).raw
    version = DeltaTable(raw.uri).version()
    raw.append(raw.read().slice(0, 1))
    assert broken(stores) == {("cleaned/posts", ACCOUNTED)}
    DeltaTable(raw.uri).restore(version)


def test_a_row_lost_on_its_way_into_the_warehouse_breaks_one_invariant(stores: Stores) -> None:
    assert facts_of("posts") == []
    with lost_in_warehouse(stores, "cleaned.posts"):
        assert broken(stores) == {("cleaned/posts", LOADED)}


def test_only_the_days_asked_for_are_compared(stores: Stores) -> None:
    (invariant,) = [each for each in invariants() if isinstance(each, RowsEqualSource)][:1]
    with lost_in_warehouse(stores, invariant.fact.qualified_name):
        (bad,) = [each.day for each in compare_days(invariant, stores, None) if not each.passed]
        others = [LAST - timedelta(days=n) for n in range(3) if LAST - timedelta(days=n) != bad]
        assert all(each.passed for each in compare_days(invariant, stores, others))
        assert [each.passed for each in compare_days(invariant, stores, [bad])] == [False]


def test_a_day_that_retention_removed_is_not_validated(stores: Stores) -> None:
    raw = stores.of(contract("posts")).raw
    gone = min(raw.rows_by_day())
    version = DeltaTable(raw.uri).version()
    DeltaTable(raw.uri).delete(f"event_date = '{gone}'")
    assert broken(stores) == {("cleaned/posts", ACCOUNTED)}
    expired = stores.lake.expired_days()
    expired.record("raw/posts", {gone: 1})
    assert broken(stores) == set()
    DeltaTable(expired.table.uri).delete()
    DeltaTable(raw.uri).restore(version)


def test_a_day_without_rows_on_either_side_holds(stores: Stores) -> None:
    for invariant in invariants():
        assert [each.passed for each in compare_days(invariant, stores, [date(2020, 1, 1)])] == [
            True
        ]


def test_work_in_progress_is_waited_for(stores: Stores) -> None:
    """The caller holds the stream's lock until the rows have arrived; then the comparison runs."""
    from threading import Thread

    stream = stores.of(contract("posts"))
    results = []
    (invariant,) = [
        each for each in invariants() if each.name == ACCOUNTED and "posts" in each.streams
    ]
    delta = DeltaTable(stream.cleaned.uri)
    version = delta.version()
    with stream.lock():
        row = stream.cleaned.read().slice(0, 1).to_pylist()[0]
        delta.delete(f"batch_id = '{row['batch_id']}' AND \"offset\" = {row['offset']}")
        checking = Thread(target=lambda: results.extend(compare_days(invariant, stores, None)))
        checking.start()
        deadline = time.monotonic() + 30
        while not stream.is_wanted():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not results
        DeltaTable(stream.cleaned.uri).restore(version)
    checking.join()
    assert results and all(each.passed for each in results)
