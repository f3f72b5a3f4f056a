"""The forecast of one series: backtest, champion, widened intervals.

Belongs here: the order of the steps and the measures. A forecast depends on nothing but the values
and the rhythm, so that it is the same in any process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from social_assets.forecasts.candidates import (
    LEVELS,
    NAIVE,
    ForecastBand,
    band_of,
    candidates,
    joined,
    naive_band,
    name_of_naive,
)
from social_assets.forecasts.series import Rhythm, Values


@dataclass(frozen=True)
class Backtest:
    """What the windows of a backtest say of the champion; they are one after the other."""

    windows: int
    error: float
    """Mean absolute scaled error: the mean absolute error by that of seasonal naive within the
    values before the first window (Hyndman and Koehler 2006)."""
    naive_error: float
    """The same of seasonal naive."""
    last: ForecastBand
    """The band of the last window, as it was forecast before the window began."""
    actual: Values
    """The values of the last window."""
    coverage: Mapping[int, float]
    """The part of the last window's values inside the intervals, by level."""


@dataclass(frozen=True)
class SeriesForecast:
    """The forecast of a series."""

    model: str
    band: ForecastBand
    backtest: Backtest | None
    """None if the series is too short for one window; the model is then seasonal naive."""


def forecast_series(values: Values, rhythm: Rhythm) -> SeriesForecast:
    """Forecast the steps after the values by the model with the least error in the backtest.

    A model takes the place of seasonal naive only if its error is smaller. `values` has at least
    one value.
    """
    windows = rhythm.windows_of(len(values))
    if not windows:
        return SeriesForecast(name_of_naive(values, rhythm), naive_band(values, rhythm), None)
    begins = [len(values) - rhythm.horizon * n for n in range(windows, 0, -1)]
    tested = {NAIVE: joined([naive_band(values[:begin], rhythm) for begin in begins])}
    models = candidates(rhythm) if _has_shape(values[: begins[0]]) else {}
    tested |= {name: _tested(make(), values, rhythm, begins) for name, make in models.items()}
    actual = values[begins[0] :]
    errors = {name: _error(band, actual) for name, band in tested.items()}
    champion = min(errors, key=lambda name: (errors[name], name != NAIVE))
    final = naive_band(values, rhythm)
    if champion != NAIVE:
        asked = models[champion]().forecast(values, rhythm.horizon, level=list(LEVELS))
        if band_of(asked).is_finite:
            final = band_of(asked)
        else:
            champion = NAIVE
    scale = _scale(values[: begins[0]], rhythm.seasons[0])
    band, last = tested[champion], slice(-rhythm.horizon, None)
    before = slice(0, -rhythm.horizon)
    measured = band.part(last).widened(_factors(band.part(before), actual[before]))
    return SeriesForecast(
        champion,
        final.widened(_factors(band, actual)),
        Backtest(
            windows,
            errors[champion] / scale,
            errors[NAIVE] / scale,
            measured,
            actual[last],
            {level: float(measured.covers(actual[last], level).mean()) for level in LEVELS},
        ),
    )


def _has_shape(values: Values) -> bool:
    """Whether there is anything to learn: equal values are repeated by seasonal naive."""
    return bool(np.ptp(values) > 0)


def _tested(model: Any, values: Values, rhythm: Rhythm, begins: list[int]) -> ForecastBand:
    """The bands of all windows. Parameters are estimated before the first window only; later
    windows are forecast from all values before them.
    """
    levels = list(LEVELS)
    fitted = model.fit(values[: begins[0]])
    first = fitted.predict(rhythm.horizon, level=levels)
    later = (fitted.forward(values[:begin], rhythm.horizon, level=levels) for begin in begins[1:])
    return joined([band_of(found) for found in (first, *later)])


def _error(band: ForecastBand, actual: Values) -> float:
    """The mean absolute error; infinite for a model that gave something else than numbers."""
    return float(np.abs(band.mean - actual).mean()) if band.is_finite else float("inf")


def _scale(values: Values, season: int) -> float:
    """The mean absolute difference between values a season apart; 1 if there is none."""
    scale = float(np.abs(values[season:] - values[:-season]).mean())
    return scale if scale > 0 else 1.0


def _factors(band: ForecastBand, actual: Values) -> Mapping[int, float]:
    """How much wider intervals must be to have held in these windows; never narrower.

    Without windows, 1. The quantile leaves one or two values out that are far away, so that one
    spike does not hide the next.
    """
    if not len(actual):
        return dict.fromkeys(LEVELS, 1.0)
    distances = np.abs(actual - band.mean)
    return {
        level: max(1.0, float(np.quantile(distances / band.spreads[level], level / 100)))
        for level in LEVELS
    }
