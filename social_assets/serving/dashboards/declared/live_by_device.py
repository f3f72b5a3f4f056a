"""Live events by device: attendances, viewers, how long people stay."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import DEVICE, PLATFORM, Dashboard


def _number(name: str, title: str, metric: str) -> Tile:
    return Tile(name, title, (metric,), Chart.NUMBER, is_compared=True, width=3)


DASHBOARD = Dashboard(
    name="live_by_device",
    title="Live by device",
    description="Attendance of live events by device and platform, and how long people stay",
    order=40,
    filters=(DEVICE, PLATFORM),
    tiles=(
        _number("attendances", "Attendances", "live_attendances"),
        _number("users", "Users", "live_users"),
        _number("viewers", "Average viewers", "average_viewers"),
        _number("length", "Average length", "average_live_time"),
        Tile(
            "over_time",
            "Attendances by device",
            ("live_attendances",),
            Chart.STACK,
            by=("device_type",),
            limit=4,
            drill="live_event",
            width=8,
        ),
        Tile(
            "engagement",
            "Average live engagement by device",
            ("average_live_engagement",),
            Chart.BARS,
            by=("device_type",),
            is_compared=True,
            drill="live_event",
            width=4,
        ),
        Tile(
            "viewers_by_platform",
            "Median viewers by platform",
            ("median_viewers",),
            Chart.BARS,
            by=("platform",),
            drill="live_event",
            width=4,
        ),
        Tile(
            "table",
            "Devices and platforms",
            ("live_attendances", "live_users", "average_viewers", "average_live_time"),
            Chart.TABLE,
            by=("device_type", "platform"),
            limit=50,
            drill="live_event",
            width=8,
        ),
    ),
)
