"""Automation ignores days before the first partition of the definitions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest

from bench.orchestration.automation import Ticks, report
from social_assets.defs.automation import REBUILD_CHANGED_DAYS

RAW, CLEANED = dg.AssetKey("raw"), dg.AssetKey("cleaned")
KNOWN = [date(2026, 3, day) for day in range(1, 11)]
EARLY = [date(2013, 5, 1)]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def definitions(first: date) -> dg.Definitions:
    days = dg.DailyPartitionsDefinition(first.isoformat(), end_date="2026-03-11", timezone="UTC")

    @dg.asset(key=RAW, partitions_def=days)
    def raw() -> None: ...

    @dg.asset(
        key=CLEANED, deps=[RAW], partitions_def=days, automation_condition=REBUILD_CHANGED_DAYS
    )
    def cleaned() -> None: ...

    return dg.Definitions([raw, cleaned])


def test_a_day_before_the_first_partition_is_recorded_and_asked_for_by_nobody(
    instance: dg.DagsterInstance,
) -> None:
    ticks = Ticks(definitions(KNOWN[0]), instance)
    ticks.tick("first")
    report(instance, RAW, [*EARLY, KNOWN[3]])
    assert ticks.tick("changed") == {}
    assert ticks.tick("quiet") == {CLEANED: {KNOWN[3].isoformat()}}
    assert EARLY[0].isoformat() in instance.get_materialized_partitions(RAW)


def test_partitions_that_begin_earlier_start_no_storm(instance: dg.DagsterInstance) -> None:
    before = Ticks(definitions(KNOWN[0]), instance)
    before.tick("first")
    for key in (RAW, CLEANED):
        report(instance, key, [*EARLY, *KNOWN])
    assert before.tick("all of it was loaded") == {}
    assert before.tick("and is quiet") == {}
    after = Ticks(definitions(EARLY[0]), instance)
    after._cursor = before._cursor
    assert after.tick("the code location was loaded again") == {}
    assert after.tick("and is quiet") == {}
    report(instance, RAW, EARLY)
    assert after.tick("the early day changed") == {}
    assert after.tick("and is quiet") == {CLEANED: {EARLY[0].isoformat()}}
