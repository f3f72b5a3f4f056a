"""The models that compete for a series, and the band that each of them gives.

Belongs here: their construction and the one shape of what they say. `statsforecast` is imported
inside the functions: it takes three seconds, and only a run that forecasts needs it.

Errors of all models are additive: counts have zeros, which multiplicative errors can't have, and
the intervals of additive ones are computed and not drawn by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from social_assets.forecasts.series import Rhythm, Values

NAIVE, MEAN = "seasonal_naive", "mean"
ETS, THETA, MSTL = "ets", "theta", "mstl"
LEVELS = (80, 95)
_Z = {80: 1.2816, 95: 1.96}


@dataclass(frozen=True)
class ForecastBand:
    """Forecasts of consecutive steps: the mean, and half the width of each interval."""

    mean: Values
    spreads: Mapping[int, Values]
    """By level in percent."""

    @property
    def is_finite(self) -> bool:
        """Whether every mean is a number."""
        return bool(np.isfinite(self.mean).all())

    def widened(self, factors: Mapping[int, float]) -> ForecastBand:
        """The band with wider intervals."""
        return ForecastBand(
            self.mean, {level: factors[level] * s for level, s in self.spreads.items()}
        )

    def part(self, steps: slice) -> ForecastBand:
        """Some of the steps."""
        return ForecastBand(
            self.mean[steps], {level: s[steps] for level, s in self.spreads.items()}
        )

    def lower(self, level: int) -> Values:
        """The lower bound, which is never negative."""
        return np.maximum(self.mean - self.spreads[level], 0.0)

    def upper(self, level: int) -> Values:
        """The upper bound."""
        found: Values = self.mean + self.spreads[level]
        return found

    def covers(self, actual: Values, level: int) -> Any:
        """Which of the values are between the bounds, as an array of booleans."""
        return (actual >= self.lower(level)) & (actual <= self.upper(level))


def joined(bands: Sequence[ForecastBand]) -> ForecastBand:
    """Bands of consecutive windows as one."""
    return ForecastBand(
        np.concatenate([band.mean for band in bands]),
        {level: np.concatenate([band.spreads[level] for band in bands]) for level in LEVELS},
    )


def candidates(rhythm: Rhythm) -> Mapping[str, Callable[[], Any]]:
    """How each model beside seasonal naive is made."""
    from statsforecast import models

    season = rhythm.seasons[0]
    trend = models.AutoETS(model="AZN")
    return {
        ETS: lambda: models.AutoETS(season_length=season, model="AZZ"),
        THETA: lambda: models.OptimizedTheta(season_length=season),
        MSTL: lambda: models.MSTL(season_length=list(rhythm.seasons), trend_forecaster=trend),
    }


def naive_band(values: Values, rhythm: Rhythm) -> ForecastBand:
    """The forecast by the values of the last season; of less than a season, by their mean."""
    season = rhythm.seasons[0]
    if len(values) < season:
        deviation = float(values.std())
        mean = np.full(rhythm.horizon, values.mean())
        return _floored(
            mean, {level: np.full(rhythm.horizon, z * deviation) for level, z in _Z.items()}
        )
    from statsforecast.models import SeasonalNaive

    model = SeasonalNaive(season_length=season)
    if len(values) == season:
        # Without an earlier season there is no error to take a deviation of.
        mean = np.resize(values, rhythm.horizon)
        return _floored(mean, {level: np.zeros(rhythm.horizon) for level in LEVELS})
    return band_of(model.forecast(values, rhythm.horizon, level=list(LEVELS)))


def name_of_naive(values: Values, rhythm: Rhythm) -> str:
    """The name of what `naive_band` does."""
    return NAIVE if len(values) >= rhythm.seasons[0] else MEAN


def band_of(found: Mapping[str, Any]) -> ForecastBand:
    """What a model of `statsforecast` answers, as a band."""
    spreads = {level: (found[f"hi-{level}"] - found[f"lo-{level}"]) / 2 for level in LEVELS}
    return _floored(np.asarray(found["mean"], dtype=np.float64), spreads)


def _floored(mean: Values, spreads: Mapping[int, Values]) -> ForecastBand:
    """Means are never negative, and no interval is narrower than that of counts (Poisson).

    Otherwise the band of a series that was constant would have no width, and any change would be
    an anomaly.
    """
    mean = np.maximum(mean, 0.0)
    deviation = np.sqrt(np.maximum(mean, 1.0))
    return ForecastBand(
        mean, {level: np.fmax(spreads[level], _Z[level] * deviation) for level in LEVELS}
    )
