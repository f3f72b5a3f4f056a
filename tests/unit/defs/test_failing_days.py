"""A check without partitions fails while any day fails, also after a run of other days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest

from social_assets.defs.monitoring.failing_days import (
    days_to_validate,
    failing_days,
    failing_days_metadata,
    worst,
)

KEY = dg.AssetCheckKey(dg.AssetKey(["star", "fact_engagement"]), "keys_resolve")
MONDAY, TUESDAY, FRIDAY = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6)
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def report(instance: dg.DagsterInstance, *days: date) -> None:
    instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=KEY.asset_key,
            check_name=KEY.name,
            passed=not days,
            metadata=failing_days_metadata(days),
        )
    )


def result(day: date, severity: dg.AssetCheckSeverity | None = None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=severity is None, severity=severity or ERROR, description=f"on {day}"
    )


def test_a_run_of_other_days_validates_the_failing_days_too(instance: dg.DagsterInstance) -> None:
    report(instance, MONDAY)
    assert days_to_validate(instance, KEY, [FRIDAY]) == [MONDAY, FRIDAY]


def test_a_run_that_names_no_days_validates_all(instance: dg.DagsterInstance) -> None:
    report(instance, MONDAY)
    assert days_to_validate(instance, KEY, None) is None


def test_a_run_at_the_same_time_does_not_hide_a_failing_day(instance: dg.DagsterInstance) -> None:
    report(instance, MONDAY)
    report(instance, TUESDAY)  # had begun before Monday's result was there
    assert failing_days(instance, KEY) == {MONDAY, TUESDAY}


def test_the_worst_day_is_the_result_and_every_failing_day_is_named() -> None:
    found = worst(
        {MONDAY: result(MONDAY, ERROR), TUESDAY: result(TUESDAY, WARN), FRIDAY: result(FRIDAY)}
    )
    assert (found.passed, found.severity) == (False, ERROR)
    assert found.description == "on 2026-03-02; fails on 2 days: 2026-03-03, 2026-03-02"
    assert found.metadata["failing_days"].value == ["2026-03-02", "2026-03-03"]


def test_the_newest_day_is_the_result_while_all_pass() -> None:
    found = worst({MONDAY: result(MONDAY), FRIDAY: result(FRIDAY)})
    assert (found.passed, found.description) == (True, "on 2026-03-06")
    assert "failing_days" not in found.metadata
