"""Experiments: what to do with each, the lift of its metrics, and whether its units are right."""

from social_assets.serving.charts.tile import Chart
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.experiments import read
from social_assets.serving.dashboards.health.tile import HealthTile

_EMPTY = (
    "No results yet. Declare an experiment, log exposures, and materialize "
    "recsys/experiment_results; docs/experiments.md says how."
)

DASHBOARD = Dashboard(
    name="experiments",
    title="Experiments",
    description="What to do with each experiment, and the lift of its metrics",
    order=95,
    range="last_90_days",
    tiles=(
        HealthTile(
            "recommendations",
            "What to do",
            Chart.TABLE,
            read.recommendations,
            "the first of the rules of docs/experiments.md that holds",
            read.TABLES,
            note="As of the last analysis, whatever the range.",
            empty=_EMPTY,
            width=12,
        ),
        HealthTile(
            "lifts",
            "Lift with its interval",
            Chart.INTERVALS,
            read.lifts,
            "(mean of the treatment - mean of the control) / (mean of the control), reduced by "
            "CUPED; the interval holds at every look",
            read.TABLES,
            note="An interval that leaves out zero decides; the newest day of the range.",
            empty=_EMPTY,
            width=6,
        ),
        HealthTile(
            "lifts_over_time",
            "Lift of the goals by day",
            Chart.LINE,
            read.lifts_over_time,
            "the lift as it was seen on each day, from all units that were complete by then",
            read.TABLES,
            empty=_EMPTY,
            width=6,
        ),
        HealthTile(
            "units",
            "Units by variant",
            Chart.TABLE,
            read.units,
            "units by the variant of their first exposure; left out: seen in several variants or "
            "in an undeclared one. Sample ratio: chi-square, p < 0.001 is a mismatch",
            read.TABLES,
            note="As of the last analysis, whatever the range.",
            empty=_EMPTY,
            width=12,
        ),
    ),
)
