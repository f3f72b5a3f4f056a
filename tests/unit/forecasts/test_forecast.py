"""The forecast of one series: champion, interval, coverage, degenerate series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from social_assets.forecasts.candidates import LEVELS, MEAN, NAIVE, naive_band
from social_assets.forecasts.forecast import SeriesForecast, forecast_series
from social_assets.forecasts.series import DAILY, HOURLY, Rhythm, Values
from social_assets.forecasts.workers import forecast_all
from tests.unit.forecasts.planted import hourly, weekly

SPIKE_DAY = 10


def as_numbers(found: SeriesForecast) -> list[float]:
    bands = [found.band, *([found.backtest.last] if found.backtest else [])]
    return [
        float(value)
        for band in bands
        for level in LEVELS
        for value in (*band.mean, *band.lower(level), *band.upper(level))
    ]


def assert_is_usable(found: SeriesForecast, rhythm: Rhythm = DAILY) -> None:
    assert len(found.band.mean) == rhythm.horizon
    assert np.isfinite(as_numbers(found)).all()
    for level in LEVELS:
        assert (found.band.lower(level) >= 0).all()
        assert (found.band.lower(level) <= found.band.mean).all()
        assert (found.band.mean <= found.band.upper(level)).all()
    assert (found.band.upper(80) <= found.band.upper(95)).all()


def test_a_planted_season_is_found_and_covered() -> None:
    errors, naive_errors, covered = [], [], []
    for seed in range(8):
        whole = weekly(182 + DAILY.horizon, seed=seed)
        known, future = whole[:182], whole[182:]
        found = forecast_series(known, DAILY)
        assert found.model != NAIVE
        assert found.backtest is not None
        assert found.backtest.windows == 3
        assert found.backtest.error < 0.9 * found.backtest.naive_error
        errors.append(np.abs(found.band.mean - future).mean())
        naive_errors.append(np.abs(np.resize(known[-7:], DAILY.horizon) - future).mean())
        covered.append(found.band.covers(future, 95).mean())
    assert np.mean(errors) < 0.9 * np.mean(naive_errors)
    assert 0.9 <= np.mean(covered) <= 1


def test_measured_coverage_of_many_series_is_near_the_level() -> None:
    tests = [forecast_series(weekly(seed=seed), DAILY).backtest for seed in range(20)]
    for level in LEVELS:
        covered = np.mean([test.coverage[level] for test in tests if test])
        assert level / 100 - 0.05 <= covered <= level / 100 + 0.05


def test_a_season_of_hours_is_found() -> None:
    found = forecast_series(hourly(), HOURLY)
    assert found.backtest is not None
    assert found.backtest.windows == 5
    assert found.backtest.error < found.backtest.naive_error
    assert_is_usable(found, HOURLY)


def test_a_planted_spike_is_outside_of_its_band_and_its_neighbours_are_not() -> None:
    values = weekly()
    values[-SPIKE_DAY] *= 4
    test = forecast_series(values, DAILY).backtest
    assert test is not None
    inside = test.last.covers(test.actual, 95)
    assert not inside[-SPIKE_DAY]
    assert inside.mean() >= 0.8


def test_a_spike_of_an_earlier_window_does_not_hide_a_later_one() -> None:
    values = weekly()
    values[-40] *= 4
    values[-SPIKE_DAY] *= 4
    test = forecast_series(values, DAILY).backtest
    assert test is not None
    assert not test.last.covers(test.actual, 95)[-SPIKE_DAY]


def test_the_coverage_of_the_last_window_is_of_intervals_that_have_not_seen_it() -> None:
    values = weekly()
    values[-28::2] *= 3
    test = forecast_series(values, DAILY).backtest
    assert test is not None
    assert test.coverage[95] < 0.7


def test_intervals_widen_after_windows_in_which_they_did_not_hold() -> None:
    draw = np.random.default_rng(3)
    values = np.round(200 + np.cumsum(draw.normal(0, 1, 182)))
    values[-84:] = np.round(values[-85] + np.cumsum(draw.normal(0, 12, 84))).clip(0)
    found = forecast_series(values, DAILY)
    assert found.model == NAIVE
    assert found.band.spreads[95].mean() > 1.5 * naive_band(values, DAILY).spreads[95].mean()


@pytest.mark.parametrize(
    ("values", "model"),
    [
        ([3], MEAN),
        ([1, 2, 0, 4], MEAN),
        ([5] * 7, NAIVE),
        ([5] * 8, NAIVE),
        ([0, 1] * 7, NAIVE),
        ([4] * 60, NAIVE),
        ([4] * 182, NAIVE),
        ([9] + [0] * 181, NAIVE),
        ([0] * 150 + [1], NAIVE),
    ],
)
def test_a_degenerate_series_is_forecast_by_what_it_repeats(
    values: list[float], model: str
) -> None:
    found = forecast_series(np.array(values, dtype=float), DAILY)
    assert found.model == model
    assert_is_usable(found)


def test_a_constant_series_has_the_interval_of_counts() -> None:
    band = forecast_series(np.full(182, 100.0), DAILY).band
    assert band.mean.tolist() == [100.0] * DAILY.horizon
    assert band.lower(95)[0] == pytest.approx(100 - 19.6)


def test_it_is_the_same_in_any_number_of_processes() -> None:
    series = {f"s{n}": weekly(60 + n % 90, level=1 + n, seed=n) for n in range(202)}
    alone, together = forecast_all(series, DAILY, 1), forecast_all(series, DAILY, 2)
    assert list(alone) == list(together) == list(series)
    for name in ("s0", "s77", "s201"):
        assert alone[name].model == together[name].model
        assert as_numbers(alone[name]) == as_numbers(together[name])


_COUNTS = st.one_of(
    st.integers(0, 3), st.integers(0, 10_000), st.sampled_from([0, 0, 0, 1, 10**12])
)


@given(st.lists(_COUNTS, min_size=1, max_size=130))
@settings(max_examples=60, deadline=None)
def test_any_counts_have_a_usable_band_and_no_champion_loses(values: list[int]) -> None:
    found = forecast_series(np.array(values, dtype=float), DAILY)
    assert_is_usable(found)
    if found.backtest:
        assert found.backtest.error <= found.backtest.naive_error
        assert all(0 <= part <= 1 for part in found.backtest.coverage.values())


def test_the_models_see_nothing_of_the_window_that_they_are_tested_on() -> None:
    def last_band(values: Values) -> list[float]:
        test = forecast_series(values, DAILY).backtest
        assert test is not None
        return test.last.mean.tolist()

    values, other = weekly(), weekly()
    other[-1] += 3
    assert last_band(values) == last_band(other)
