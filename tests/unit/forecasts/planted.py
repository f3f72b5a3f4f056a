"""Series whose truth is planted.

Belongs here: values that several tests of forecasts use.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from social_assets.forecasts.series import DAILY, Rhythm, Values

END = datetime(2026, 7, 1, tzinfo=UTC)


def weekly(days: int = 182, level: float = 100, seed: int = 0, growth: float = 0.002) -> Values:
    """Counts with a season of a week and growth, distributed as counts are."""
    day = np.arange(days)
    expected = level * (1 + 0.5 * np.sin(2 * np.pi * day / 7) + growth * day)
    return np.random.default_rng(seed).poisson(expected).astype(float)


def hourly(hours: int = 672, seed: int = 0) -> Values:
    hour = np.arange(hours)
    expected = 60 * (1 + 0.7 * np.sin(2 * np.pi * hour / 24))
    return np.random.default_rng(seed).poisson(expected).astype(float)


def rows(*named: tuple[str, datetime, float | None]) -> pa.Table:
    """A table of series as the warehouse gives it."""
    return pa.table(
        {
            "series": pa.array([name for name, _, _ in named], pa.string()),
            "time": pa.array([int(at.timestamp()) for _, at, _ in named], pa.int64()),
            "value": pa.array([value for _, _, value in named], pa.float64()),
        }
    )


def ago(steps: int, rhythm: Rhythm = DAILY) -> datetime:
    """The begin of the step so many steps before the end."""
    return END - steps * rhythm.step
