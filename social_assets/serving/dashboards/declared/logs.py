"""Logs: errors by process over time, and the newest of them."""

from social_assets.serving.charts.tile import Chart
from social_assets.serving.dashboards.dashboard import Dashboard
from social_assets.serving.dashboards.health import logs
from social_assets.serving.dashboards.health.tile import HealthTile

_TABLES = ("ops.logs",)
_NONE = "No error in this range."
_NO_LINES = "No log line in this range. `social-assets ship-logs` ships them, and so does `dev`."

DASHBOARD = Dashboard(
    name="logs",
    title="Logs",
    description="Errors and warnings of all processes; social-assets logs searches them",
    order=115,
    range="last_7_days",
    owner="team:platform",
    tiles=(
        HealthTile(
            "errors",
            "Errors",
            Chart.NUMBER,
            logs.errors,
            "number of lines of level ERROR or CRITICAL",
            _TABLES,
            width=4,
        ),
        HealthTile(
            "warnings",
            "Warnings",
            Chart.NUMBER,
            logs.warnings,
            "number of lines of level WARNING",
            _TABLES,
            width=4,
        ),
        HealthTile(
            "lines",
            "Log lines",
            Chart.NUMBER,
            logs.lines,
            "number of lines of any level",
            _TABLES,
            width=4,
        ),
        HealthTile(
            "errors_by_process",
            "Errors by process",
            Chart.LINE,
            logs.errors_by_process,
            "number of errors by hour, or by day in a range of more than three days",
            _TABLES,
            empty=_NONE,
            width=8,
        ),
        HealthTile(
            "processes",
            "Lines by process",
            Chart.TABLE,
            logs.lines_by_process,
            "number of lines, of warnings and of errors",
            _TABLES,
            empty=_NO_LINES,
            width=4,
        ),
        HealthTile(
            "latest_errors",
            "Latest errors",
            Chart.TABLE,
            logs.latest_errors,
            "each text of an error once, with its number; the 50 newest, cut at 300 characters",
            _TABLES,
            empty=_NONE,
            width=12,
        ),
    ),
)
