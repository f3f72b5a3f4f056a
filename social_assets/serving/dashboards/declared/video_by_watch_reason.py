"""Video by watch reason: why people watch, how long, and what they say of its effect."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import (
    AGE_GROUP,
    DEVICE,
    GENDER,
    PLATFORM,
    Dashboard,
)


def _number(name: str, title: str, metric: str) -> Tile:
    return Tile(name, title, (metric,), Chart.NUMBER, is_compared=True, width=3)


DASHBOARD = Dashboard(
    name="video_by_watch_reason",
    title="Video by watch reason",
    description="Why people watch, for how long, and what they say of its effect on them",
    order=50,
    filters=(PLATFORM, AGE_GROUP, GENDER, DEVICE),
    tiles=(
        _number("watched", "Videos watched", "videos_watched"),
        _number("viewers", "Viewers", "video_viewers"),
        _number("median", "Median watch time", "median_watch_time"),
        _number("loss", "Productivity loss", "productivity_loss"),
        Tile(
            "time_by_reason",
            "Watch time by reason",
            ("watch_time",),
            Chart.STACK,
            by=("watch_reason",),
            limit=5,
            drill="video",
            width=8,
        ),
        Tile(
            "average_by_reason",
            "Average watch time by reason",
            ("average_watch_time",),
            Chart.BARS,
            by=("watch_reason",),
            is_compared=True,
            drill="video",
            width=4,
        ),
        Tile(
            "loss_by_reason",
            "Productivity loss by reason",
            ("productivity_loss",),
            Chart.BARS,
            by=("watch_reason",),
            width=4,
        ),
        Tile(
            "effects",
            "What people say of the effect",
            (
                "videos_watched",
                "satisfaction",
                "self_control",
                "addiction_level",
                "productivity_loss",
            ),
            Chart.TABLE,
            by=("watch_reason",),
            drill="video",
            width=8,
            note="Means of users' own ratings, 0 to 10.",
        ),
    ),
)
