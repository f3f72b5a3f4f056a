"""Reading a table as series."""

from __future__ import annotations

from datetime import timedelta

import pytest

from social_assets.forecasts.series import DAILY, HOURLY, SeriesError, series_of
from tests.unit.forecasts.planted import END, ago, rows


def test_a_step_without_a_row_is_zero() -> None:
    found = series_of(rows(("a", ago(4), 5.0), ("a", ago(1), 7.0)), DAILY, END)
    assert found["a"].tolist() == [5.0, 0.0, 0.0, 7.0]


def test_a_series_begins_with_its_first_value_above_zero() -> None:
    found = series_of(rows(("a", ago(9), 0.0), ("a", ago(2), 3.0)), DAILY, END)
    assert found["a"].tolist() == [3.0, 0.0]


def test_series_of_zeros_are_left_out() -> None:
    assert series_of(rows(("a", ago(3), 0.0)), DAILY, END) == {}
    assert series_of(rows(), DAILY, END) == {}


def test_rows_of_one_step_are_added_and_the_order_of_rows_is_free() -> None:
    given = [("b", ago(1), 1.0), ("a", ago(1), 2.0), ("b", ago(2), 4.0), ("a", ago(1), 8.0)]
    one, other = series_of(rows(*given), DAILY, END), series_of(rows(*given[::-1]), DAILY, END)
    assert one["a"].tolist() == other["a"].tolist() == [10.0]
    assert one["b"].tolist() == other["b"].tolist() == [4.0, 1.0]


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_value_that_is_no_number_counts_as_zero(value: float | None) -> None:
    found = series_of(rows(("a", ago(3), 2.0), ("a", ago(2), value)), DAILY, END)
    assert found["a"].tolist() == [2.0, 0.0, 0.0]


def test_rows_of_incomplete_and_of_very_old_steps_do_not_count() -> None:
    far = DAILY.history + 1
    found = series_of(
        rows(("a", ago(far), 9.0), ("a", ago(DAILY.history), 1.0), ("a", END, 9.0)), DAILY, END
    )
    assert len(found["a"]) == DAILY.history
    assert found["a"].sum() == 1.0


def test_an_infinite_value_is_refused_with_the_name_of_its_series() -> None:
    with pytest.raises(SeriesError, match="series 'X:a1' has an infinite value"):
        series_of(rows(("ok", ago(1), 1.0), ("X:a1", ago(1), float("inf"))), DAILY, END)


def test_hours_are_steps_too() -> None:
    found = series_of(
        rows(("a", END - timedelta(hours=3), 1.0), ("a", END - timedelta(minutes=30), 2.0)),
        HOURLY,
        END,
    )
    assert found["a"].tolist() == [1.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("days", "windows"), [(1, 0), (28, 0), (55, 0), (56, 1), (84, 2), (112, 3), (182, 3)]
)
def test_a_longer_series_has_more_windows(days: int, windows: int) -> None:
    assert DAILY.windows_of(days) == windows


def test_values_are_numbers_of_double_precision() -> None:
    assert series_of(rows(("a", ago(1), 1.0)), DAILY, END)["a"].dtype == "float64"
