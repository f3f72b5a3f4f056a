"""Time of day: when people are active, in all streams."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import PLATFORM, STREAM, Dashboard

_TOLD = "The hour that the record tells, in the record's own time zone."

DASHBOARD = Dashboard(
    name="time_of_day",
    title="Time of day",
    description="At which hours and on which weekdays people are active, in all streams",
    order=60,
    filters=(PLATFORM, STREAM),
    tiles=(
        Tile(
            "by_hour",
            "Records by hour of the day",
            ("interactions",),
            Chart.COLUMNS,
            by=("told_hour",),
            limit=25,
            note=_TOLD,
            width=12,
        ),
        Tile(
            "by_weekday_and_hour",
            "Records by weekday and hour",
            ("interactions",),
            Chart.HEAT_MAP,
            by=("weekday", "told_hour"),
            limit=175,
            note=_TOLD,
        ),
        Tile(
            "users_by_hour",
            "Active users by hour of the day",
            ("active_users",),
            Chart.COLUMNS,
            by=("told_hour",),
            limit=25,
            note=f"{_TOLD} A user who is active in two hours counts in both.",
        ),
        Tile(
            "by_stream",
            "Records over time by stream",
            ("interactions",),
            Chart.LINE,
            by=("stream",),
        ),
        Tile(
            "by_platform",
            "Records by platform and hour",
            ("interactions",),
            Chart.HEAT_MAP,
            by=("platform", "told_hour"),
            limit=200,
            note=_TOLD,
        ),
    ),
)
