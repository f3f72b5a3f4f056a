"""An answer says whether the invariants hold on its days: they hold, are broken, or not checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from clickhouse_connect.driver.client import Client

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.demo.samples import generate
from social_assets.metrics.answer_invariants import (
    AnswerInvariants,
    InvariantsOfSubjects,
    InvariantState,
)
from social_assets.metrics.ask import ask
from social_assets.metrics.planner.question import ComparedRange, Question
from social_assets.metrics.registry import subjects
from social_assets.pipeline.stores import Stores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.quality.day_comparison import compare_days
from social_assets.quality.invariants import invariants
from social_assets.quality.recorded_days import comparable, record_days, recorded
from social_assets.warehouse import compared_days
from social_assets.warehouse.compared_days import (
    INVARIANTS_OF_LAYERS,
    ComparedDay,
    forget_compared,
    partition_states,
    record_compared,
    results_of,
)
from tests.integration.quality.conftest import LAST

DAYS = [LAST - timedelta(days=n) for n in (2, 1, 0)]
START = datetime.combine(DAYS[0], time(), UTC)
END = START + timedelta(days=3)
RANGE = (START, END)
FACT = "star.fact_engagement"
STREAMS = ("engagement_events", "video_interactions")


@pytest.fixture(scope="module")
def stores(home: Home) -> Stores:
    """The stores of the home, with samples of two streams."""
    found = StoresResource(clickhouse=ClickHouseResource()).stores()
    for file in generate(home.samples, events=1_500, days=3, end=LAST, seed=5):
        if file.stream in STREAMS:
            ingest_files(found.of(contract(file.stream)), [file.path], file.date)
    return found


@pytest.fixture
def client(stores: Stores) -> Iterator[Client]:
    """A client of a warehouse of which nothing is recorded."""
    with stores.clickhouse.client("test") as found:
        found.command(f"DROP TABLE IF EXISTS {compared_days.COMPARED_DAYS} SYNC")
        yield found


def said(client: Client, *metrics: str, **asked: object) -> AnswerInvariants:
    """What an answer says, read at this moment."""
    question = Question(metrics or ("likes",), *RANGE, **asked)  # type: ignore[arg-type]
    return ask(client, question, invariants=InvariantsOfSubjects(0)).invariants


def record(stores: Stores, *streams: str) -> None:
    """What a load of these streams records."""
    for name in streams or STREAMS:
        record_days(stores.of(contract(name)), DAYS)


@contextmanager
def a_lost_row(client: Client, table: str, day: date) -> Iterator[None]:
    """Lose the rows of one account of a day, and bring them back at the end, whatever fails."""
    _keep(client, table)
    try:
        client.command(
            f"DELETE FROM {table} WHERE event_date = '{day}' AND account_key IN "
            f"(SELECT account_key FROM {table} WHERE event_date = '{day}' LIMIT 1)"
        )
        yield
    finally:
        _restore(client, table)


def change(client: Client, day: date) -> None:
    """Swap a day for the same rows, as a rebuild does: no view adds them to a rollup."""
    _keep(client, FACT)
    _restore(client, FACT, [day])


def test_each_invariant_is_named_where_its_layer_is() -> None:
    named = {(each.asset.path[0], each.name) for each in invariants()}
    # These are counted when texts are scored and features are built, not when records land.
    named.add(("text", compared_days.EVERY_TEXT_IS_SCORED))
    named.add(("features", compared_days.SUMS_EQUAL_EVENTS))
    assert named == {(layer, name) for layer, all_ in INVARIANTS_OF_LAYERS.items() for name in all_}


def test_days_that_were_never_compared_are_not_checked(client: Client) -> None:
    found = said(client)
    assert found.state is InvariantState.NOT_CHECKED
    assert found.unchecked_days == tuple(DAYS)


def test_a_range_without_rows_is_not_checked(stores: Stores, client: Client) -> None:
    record(stores)
    question = Question(("likes",), START - timedelta(days=9), START)
    found = ask(client, question, invariants=InvariantsOfSubjects(0)).invariants
    assert found == AnswerInvariants()
    assert found.state is InvariantState.NOT_CHECKED


def test_compared_days_hold_for_the_metrics_of_every_subject(
    stores: Stores, client: Client
) -> None:
    before = datetime.now(UTC)
    record(stores)
    checked = 0
    for subject in subjects():
        if not {source.stream for source in subject.sources} <= set(STREAMS):
            continue
        for metric in subject.metrics:
            if metric.additivity.value == "as_reported":
                continue
            found = said(client, metric.name)
            assert (metric.name, found.state) == (metric.name, InvariantState.HOLD)
            assert found.checked_at is not None and found.checked_at >= before - timedelta(
                seconds=1
            )
            checked += 1
    assert checked > 15


def test_a_day_that_has_changed_since_it_was_compared_is_not_checked(
    stores: Stores, client: Client
) -> None:
    record(stores)
    change(client, DAYS[1])
    found = said(client)
    assert (found.state, found.unchecked_days) == (InvariantState.NOT_CHECKED, (DAYS[1],))
    assert found.held_days == 2
    record(stores, "engagement_events")
    assert said(client).state is InvariantState.HOLD


def test_a_lost_row_is_told_by_the_answers_of_its_day_and_no_others(
    stores: Stores, client: Client
) -> None:
    with a_lost_row(client, FACT, DAYS[2]):
        record(stores)
        found = said(client)
        assert (found.state, found.broken_days, found.unchecked_days) == (
            InvariantState.BROKEN,
            (DAYS[2],),
            (),
        )
        assert found.in_words().startswith(f"broken on {DAYS[2]}: rows are lost or doubled there")
        earlier = Question(("likes",), START, END - timedelta(days=1))
        assert (
            ask(client, earlier, invariants=InvariantsOfSubjects(0)).invariants.state
            is InvariantState.HOLD
        )
        assert said(client, "watch_time").state is InvariantState.HOLD
        later = Question(("likes",), END, END + timedelta(days=3), compare=ComparedRange.PREVIOUS)
        compared = ask(client, later, invariants=InvariantsOfSubjects(0)).invariants
        assert compared.broken_days == (DAYS[2],), "the range that is compared with is read, too"
    # It stays broken until a comparison passes, whatever else changes.
    assert said(client).broken_days == (DAYS[2],)
    record(stores)
    assert said(client).state is InvariantState.HOLD


def test_a_day_that_changes_during_the_comparison_is_not_checked(
    stores: Stores, client: Client
) -> None:
    record(stores)
    # All that count in the table: one that was recorded before would leave the day unchecked, too.
    listed = comparable(stores.of(contract("engagement_events")))
    with recorded(stores, listed, "test") as compared:
        for invariant in listed:
            compared.extend(compare_days(invariant, stores, DAYS))
        change(client, DAYS[0])
    assert said(client).unchecked_days == (DAYS[0],)


def test_nothing_is_recorded_of_a_comparison_that_fails(stores: Stores, client: Client) -> None:
    with pytest.raises(OSError, match="killed"), recorded(stores, invariants(), "test") as compared:
        compared.extend(compare_days(invariants()[0], stores, DAYS))
        raise OSError("killed")
    assert said(client).held_days == 0


def test_an_older_comparison_that_ends_later_changes_nothing(
    stores: Stores, client: Client
) -> None:
    before = partition_states(client, [FACT])
    record(stores)
    late = [ComparedDay(FACT, "rows_equal_source", day, False, (FACT,)) for day in DAYS]
    record_compared(client, late, before)
    assert said(client).state is InvariantState.HOLD


def test_merges_change_no_state(stores: Stores, client: Client) -> None:
    table = "rollups.engagement_hourly"
    client.command(f"SYSTEM STOP MERGES {table}")
    client.command(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 0")
    client.command(f"SYSTEM START MERGES {table}")
    before = partition_states(client, [table, FACT]).of_days
    client.command(f"OPTIMIZE TABLE {table} FINAL")
    client.command(f"OPTIMIZE TABLE {FACT} FINAL")
    assert partition_states(client, [table, FACT]).of_days == before


def test_a_check_of_one_invariant_of_two_leaves_the_day_unchecked(
    stores: Stores, client: Client
) -> None:
    table = "cleaned.engagement_events"
    states = partition_states(client, [table])
    one = [ComparedDay(table, "lake_equals_warehouse", day, True, (table,)) for day in DAYS]
    record_compared(client, one, states)
    results, _ = results_of(client, [table])
    assert set(results[table].changed) == set(DAYS)


def test_results_of_expired_days_are_deleted(stores: Stores, client: Client) -> None:
    record(stores)
    forget_compared(client, FACT, DAYS[:1])
    results, _ = results_of(client, [FACT])
    assert set(results[FACT].held) == set(DAYS[1:])
    forget_compared(client, FACT, [DAYS[0]])


def test_the_words_are_those_of_the_states() -> None:
    at = datetime(2026, 3, 5, 5, 0, tzinfo=UTC)
    assert AnswerInvariants((), (), 3, at).in_words() == (
        "hold, compared at 2026-03-05 05:00 UTC or later"
    )
    many = AnswerInvariants((), (*DAYS, LAST + timedelta(days=1)), 1, at)
    assert many.in_words() == (
        "hold on 1 day; not checked since the last change: 2026-03-02, 2026-03-03, 2026-03-04 "
        "and 1 more"
    )
    assert json.dumps(many.state) == '"not_checked"'


def _keep(client: Client, table: str) -> None:
    client.command("DROP TABLE IF EXISTS star.kept SYNC")
    client.command(f"CREATE TABLE star.kept AS {table}")
    client.command(f"INSERT INTO star.kept SELECT * FROM {table}")


def _restore(client: Client, table: str, days: Sequence[date] = DAYS) -> None:
    for day in days:
        client.command(f"ALTER TABLE {table} REPLACE PARTITION '{day}' FROM star.kept")
    client.command("DROP TABLE star.kept SYNC")
