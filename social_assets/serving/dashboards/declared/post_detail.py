"""Post detail: what one post has reached, and when."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import POST, Dashboard


def _number(metric: str, title: str) -> Tile:
    return Tile(metric, title, (metric,), Chart.NUMBER, width=2)


DASHBOARD = Dashboard(
    name="post_detail",
    title="Post detail",
    description="What one post has reached, when, and by which reactions",
    order=80,
    filters=(POST,),
    tiles=(
        _number("likes", "Likes"),
        _number("comments", "Comments"),
        _number("shares", "Shares"),
        _number("clicks", "Clicks"),
        _number("views", "Views"),
        _number("engagement_rate_by_impressions", "Engagement rate by impressions"),
        Tile(
            "engagement_over_time",
            "Reactions over time",
            ("engagement",),
            Chart.LINE,
            width=8,
        ),
        Tile(
            "kinds",
            "Events by kind",
            ("events",),
            Chart.BARS,
            by=("metric_type",),
            limit=10,
            width=4,
        ),
        Tile(
            "reach_over_time",
            "Reach over time",
            ("reach",),
            Chart.LINE,
            note="Each bucket counts its own users; they do not sum to the reach of the range.",
            width=6,
        ),
        Tile(
            "hours",
            "Engagement by weekday and hour",
            ("engagement",),
            Chart.HEAT_MAP,
            by=("weekday", "hour_of_day"),
            limit=168,
            width=6,
        ),
    ),
)
