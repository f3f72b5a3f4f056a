"""Drift on constructed figures: each shift fails its own check, and chance fails none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from dagster import AssetCheckSeverity

from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks.drift_checks import day_result
from social_assets.quality.drift import DayFigures, Kind, compare

FIRST = date(2026, 3, 1)
EVENTS = contract("engagement_events")
USUAL = DayFigures(
    rows=10_000,
    missing={"user_id": 500},
    categories={"metric_type": {"like": 6_000, "view": 4_000}},
    quantiles={"value": (1.0, 2.0, 5.0, 8.0, 9.0)},
)

Change = Callable[[DayFigures], DayFigures]

WARNED: dict[Kind, Change] = {
    Kind.VOLUME: lambda day: scaled(day, 0.4),
    Kind.MISSING: lambda day: replace(day, missing={"user_id": 1_500}),
    Kind.CATEGORY: lambda day: replace(
        day, categories={"metric_type": {"like": 4_000, "view": 6_000}}
    ),
    Kind.QUANTILE: lambda day: replace(day, quantiles={"value": (1.0, 2.0, 9.0, 9.0, 9.0)}),
}
FAILED: dict[Kind, Change] = {
    Kind.VOLUME: lambda day: scaled(day, 20),
    Kind.MISSING: lambda day: replace(day, missing={"user_id": 9_000}),
    Kind.CATEGORY: lambda day: replace(day, categories={"metric_type": {"share": 10_000}}),
    Kind.QUANTILE: lambda day: replace(day, quantiles={"value": (10.0, 20.0, 50.0, 80.0, 90.0)}),
}


def scaled(day: DayFigures, factor: float) -> DayFigures:
    """The same distributions for another number of rows."""
    return DayFigures(
        int(day.rows * factor),
        {name: int(n * factor) for name, n in day.missing.items()},
        {c: {v: int(n * factor) for v, n in s.items()} for c, s in day.categories.items()},
        day.quantiles,
    )


def wandering(days: int) -> dict[date, DayFigures]:
    """Days with small differences, as in real data."""
    return {
        FIRST + timedelta(days=n): replace(
            scaled(USUAL, 1 + (n % 3) / 10),
            quantiles={"value": (1.0, 2.0, 5.0 + (n % 3) / 10, 8.0, 9.0)},
        )
        for n in range(days)
    }


def validated(change: Change, days: int = 10) -> dict[Kind, tuple[bool, AssetCheckSeverity]]:
    """Whether each check passed, and its severity, after normal days and a changed one."""
    figures = wandering(days) | {FIRST + timedelta(days=days): change(USUAL)}
    compared = compare(EVENTS, figures)
    results = {kind: day_result(EVENTS, kind, compared) for kind in Kind}
    return {kind: (found.passed, found.severity) for kind, found in results.items()}


def test_a_day_like_the_others_passes_all_checks() -> None:
    assert all(passed for passed, _ in validated(lambda day: day).values())


@pytest.mark.parametrize("kind", list(Kind))
def test_a_shift_warns_by_exactly_its_check(kind: Kind) -> None:
    found = validated(WARNED[kind])
    assert [k for k, (passed, _) in found.items() if not passed] == [kind]
    assert found[kind][1] is AssetCheckSeverity.WARN


@pytest.mark.parametrize("kind", list(Kind))
def test_a_great_shift_is_an_error_of_exactly_its_check(kind: Kind) -> None:
    found = validated(FAILED[kind])
    assert [k for k, (passed, _) in found.items() if not passed] == [kind]
    assert found[kind][1] is AssetCheckSeverity.ERROR


def test_too_few_days_before_pass_and_say_so() -> None:
    figures = wandering(3) | {FIRST + timedelta(days=3): FAILED[Kind.VOLUME](USUAL)}
    result = day_result(EVENTS, Kind.VOLUME, compare(EVENTS, figures))
    assert result.passed
    assert result.description == "not validated: 3 days with rows before 2026-03-04; 4 are needed"


def test_too_few_rows_say_nothing_of_shares_but_of_volume() -> None:
    few = FAILED[Kind.CATEGORY](USUAL)
    found = validated(lambda day: replace(few, rows=50, categories={"metric_type": {"share": 50}}))
    assert [k for k, (passed, _) in found.items() if not passed] == [Kind.VOLUME]


def test_what_chance_explains_is_no_drift() -> None:
    small = {day: scaled(figures, 0.01) for day, figures in wandering(10).items()}
    odd = DayFigures(100, {"user_id": 11}, {"metric_type": {"like": 48, "view": 52}}, {})
    compared = compare(EVENTS, small | {FIRST + timedelta(days=10): odd})
    assert day_result(EVENTS, Kind.CATEGORY, compared).passed
    assert day_result(EVENTS, Kind.MISSING, compared).passed


def test_the_table_names_column_measure_both_figures_and_result() -> None:
    figures = wandering(10) | {FIRST + timedelta(days=10): FAILED[Kind.CATEGORY](USUAL)}
    result = day_result(EVENTS, Kind.CATEGORY, compare(EVENTS, figures))
    (row,) = result.metadata["measures"].records
    assert row.data == {
        "column": "metric_type",
        "measure": "share of share",
        "day": 1.0,
        "trailing": 0.0,
        "change": row.data["change"],
        "result": "ERROR",
    }
    assert "on 2026-03-11: metric_type: share of share 1, usually 0" in str(result.description)


def test_no_rows_on_any_day_pass_and_say_so() -> None:
    result = day_result(EVENTS, Kind.VOLUME, compare(EVENTS, {}))
    assert result.passed
    assert "no day with rows has ended yet" in str(result.description)
