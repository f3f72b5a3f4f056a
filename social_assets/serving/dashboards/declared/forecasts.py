"""Forecasts: engagement with its band, by day and hour, values outside of it, models."""

from social_assets.serving.charts.tile import Chart
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.forecasts import read
from social_assets.serving.dashboards.health.tile import HealthTile

_EMPTY = (
    "No forecasts yet. Materialize forecasts/engagement, which also runs each night; "
    "docs/forecasts.md says what it needs."
)
_FORMULA = (
    "the model with the least error in a backtest (ETS, theta, MSTL), or seasonal naive; the band "
    "is its interval of 95 %, widened by what the backtest showed"
)
_NOTE = (
    "Dashed: expected; of the past, as forecast before the window began. Rings: outside of the "
    "band. As of the last run, whatever the range."
)

DASHBOARD = Dashboard(
    name="forecasts",
    title="Forecasts",
    description="Engagement of the next days and hours, and what was not expected",
    order=96,
    tiles=(
        HealthTile(
            "by_day",
            "Engagement by day",
            Chart.BAND,
            read.by_day,
            _FORMULA,
            read.TABLES,
            note=_NOTE,
            empty=_EMPTY,
            width=6,
        ),
        HealthTile(
            "by_hour",
            "Engagement by hour",
            Chart.BAND,
            read.by_hour,
            _FORMULA,
            read.TABLES,
            note=_NOTE,
            empty=_EMPTY,
            width=6,
        ),
        HealthTile(
            "platforms_by_day",
            "Engagement of platforms by day",
            Chart.BAND,
            read.platforms_by_day,
            _FORMULA,
            read.TABLES,
            note="The platforms with the most engagement, at most four.",
            empty=_EMPTY,
            width=12,
        ),
        HealthTile(
            "anomalies",
            "Not expected",
            Chart.TABLE,
            read.anomalies,
            "values outside of the interval of 95 %; by chance, one in twenty is",
            read.TABLES,
            note="The newest days first, of each day the farthest from its band.",
            empty="No value is outside of its band, or there are no forecasts yet.",
            width=12,
        ),
        HealthTile(
            "models",
            "Models",
            Chart.TABLE,
            read.models,
            "MASE: mean absolute error by that of seasonal naive within the training values; "
            "coverage: the part of the last window inside of the interval",
            read.TABLES,
            note="A short series has no backtest, and so no error.",
            empty=_EMPTY,
            width=12,
        ),
    ),
)
