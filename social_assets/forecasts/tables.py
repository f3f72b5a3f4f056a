"""The tables `forecasts.engagement` and `forecasts.engagement_series`: what was forecast.

Belongs here: their columns, and filling them. Both are replaced as a whole, so they need no
retention: they hold the last window of the backtest, the horizon, and nothing older. They name
accounts and no user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from social_assets.forecasts.candidates import LEVELS, joined
from social_assets.forecasts.engagement import Forecasts, Member
from social_assets.forecasts.forecast import SeriesForecast
from social_assets.warehouse.served.serving_tables import (
    ServingColumn,
    ServingTable,
    replace_all_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

DATABASE = "forecasts"
_NAME, _TEXT, _NUMBER = "LowCardinality(String)", "String", "Float64"
_OPTIONAL, _TIME = "Nullable(Float64)", "DateTime('UTC')"
_OF_SERIES = (
    ServingColumn("grain", _NAME, "day or hour"),
    ServingColumn("platform", _NAME, "The platform; empty for all of them together"),
    ServingColumn("account", _TEXT, "The account; empty for all of the platform together"),
)
_COMPUTED = ServingColumn("computed_at", "DateTime64(6, 'UTC')", "When")

FORECASTS = ServingTable(
    name=f"{DATABASE}.engagement",
    columns=(
        *_OF_SERIES,
        ServingColumn("time", _TIME, "Begin of the day or hour"),
        ServingColumn("actual", _OPTIONAL, "Engagement; NULL for steps that are still to come"),
        ServingColumn("forecast", _NUMBER, "Expected engagement"),
        ServingColumn("lower_80", _NUMBER, "Lower bound of the interval of 80 %"),
        ServingColumn("upper_80", _NUMBER, "Upper bound of the interval of 80 %"),
        ServingColumn("lower_95", _NUMBER, "Lower bound of the interval of 95 %"),
        ServingColumn("upper_95", _NUMBER, "Upper bound of the interval of 95 %"),
        ServingColumn(
            "distance",
            _OPTIONAL,
            "How far the actual value is from the forecast, in half widths of the 95 % interval",
        ),
        ServingColumn("is_anomaly", "Bool", "Whether the actual value is outside of 95 %"),
        _COMPUTED,
    ),
    order="grain, platform, account, time",
    constraints=("one row a grain, platform, account and time",),
    meaning=(
        "Engagement with its band: one row a series and step, of the last window of the backtest "
        "(28 days, 48 hours), forecast before it began, and of the next 28 days or 48 hours"
    ),
)

SERIES = ServingTable(
    name=f"{DATABASE}.engagement_series",
    columns=(
        *_OF_SERIES,
        ServingColumn("model", _NAME, "The model with the least error in the backtest"),
        ServingColumn("windows", "UInt64", "Windows of the backtest; 0 of a series too short"),
        ServingColumn("error", _OPTIONAL, "Mean absolute scaled error of the model"),
        ServingColumn("naive_error", _OPTIONAL, "The same of seasonal naive"),
        ServingColumn("coverage_80", _OPTIONAL, "Part of the last window inside of 80 %"),
        ServingColumn("coverage_95", _OPTIONAL, "Part of the last window inside of 95 %"),
        _COMPUTED,
    ),
    order="grain, platform, account",
    constraints=("one row a grain, platform and account",),
    meaning="Models of the forecasts of engagement: one row a series",
)

_STEP_COLUMNS = tuple(each.name for each in FORECASTS.columns if each is not _COMPUTED)


def write_forecasts(
    client: Client, found: Sequence[Forecasts], run: str, computed_at: datetime
) -> int:
    """Replace the rows of both tables; returns those of forecasts. Repeating it changes nothing."""
    rows = forecast_rows(found, computed_at)
    replace_all_rows(client, FORECASTS, rows, run)
    replace_all_rows(client, SERIES, series_rows(found, computed_at), run)
    return int(rows.num_rows)


def forecast_rows(found: Sequence[Forecasts], computed_at: datetime) -> pa.Table:
    """The rows of `forecasts.engagement`."""
    parts = [
        _steps(each, member, series) for each in found for member, series in each.series.items()
    ]
    columns: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) if parts else []
        for name in _STEP_COLUMNS
    }
    return _table(FORECASTS, columns, computed_at)


def series_rows(found: Sequence[Forecasts], computed_at: datetime) -> pa.Table:
    """The rows of `forecasts.engagement_series`."""
    rows = [
        (each.rhythm, member, series) for each in found for member, series in each.series.items()
    ]
    tests = [series.backtest for _, _, series in rows]
    return _table(
        SERIES,
        {
            "grain": [rhythm.grain.word for rhythm, _, _ in rows],
            "platform": [member.platform for _, member, _ in rows],
            "account": [member.account for _, member, _ in rows],
            "model": [series.model for _, _, series in rows],
            "windows": [test.windows if test else 0 for test in tests],
            "error": [test and test.error for test in tests],
            "naive_error": [test and test.naive_error for test in tests],
            "coverage_80": [test and test.coverage[80] for test in tests],
            "coverage_95": [test and test.coverage[95] for test in tests],
        },
        computed_at,
    )


def _steps(of: Forecasts, member: Member, series: SeriesForecast) -> dict[str, Any]:
    """The columns of one series: the last window, then the horizon."""
    test, horizon = series.backtest, of.rhythm.horizon
    bands = [test.last, series.band] if test else [series.band]
    band = joined(bands)
    past = horizon if test else 0
    actual = np.full(len(band.mean), np.nan)
    if test:
        actual[:past] = test.actual
    seconds = of.rhythm.step // timedelta(seconds=1)
    distance = np.abs(actual - band.mean) / band.spreads[95]
    is_anomaly = np.zeros(len(actual), dtype=bool)
    is_anomaly[:past] = ~band.covers(actual, 95)[:past]
    return {
        "grain": np.full(len(actual), of.rhythm.grain.word, dtype=object),
        "platform": np.full(len(actual), member.platform, dtype=object),
        "account": np.full(len(actual), member.account, dtype=object),
        "time": int(of.end.timestamp()) + seconds * (np.arange(len(actual)) - past),
        "actual": actual,
        "forecast": band.mean,
        **{f"lower_{level}": band.lower(level) for level in LEVELS},
        **{f"upper_{level}": band.upper(level) for level in LEVELS},
        "distance": distance,
        "is_anomaly": is_anomaly,
    }


def _table(table: ServingTable, columns: Mapping[str, Any], computed_at: datetime) -> pa.Table:
    """Columns as Arrow has them; what is not a number is NULL."""
    import pyarrow as pa

    rows = len(columns["grain"])
    whole = {**columns, "computed_at": [computed_at] * rows}
    return pa.table(
        {
            each.name: pa.array(whole[each.name], each.arrow_type, from_pandas=True)
            for each in table.columns
        }
    )
