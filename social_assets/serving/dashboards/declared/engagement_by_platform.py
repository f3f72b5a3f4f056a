"""Engagement by platform: how much, how it moves, and at which rate."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import ACCOUNT, PLATFORM, Dashboard

DASHBOARD = Dashboard(
    name="engagement_by_platform",
    title="Engagement by platform",
    description="How much people react on each platform, at which rate, and how that moves",
    order=20,
    filters=(PLATFORM, ACCOUNT),
    tiles=(
        Tile("events", "Events", ("events",), Chart.NUMBER, is_compared=True, width=3),
        Tile("engagement", "Engagement", ("engagement",), Chart.NUMBER, is_compared=True, width=3),
        Tile("users", "Unique users", ("unique_users",), Chart.NUMBER, is_compared=True, width=3),
        Tile("views", "Views", ("views",), Chart.NUMBER, is_compared=True, width=3),
        Tile(
            "over_time",
            "Engagement over time",
            ("engagement",),
            Chart.LINE,
            by=("platform",),
            limit=8,
            drill="post",
            width=8,
        ),
        Tile(
            "totals",
            "Engagement, and the period before",
            ("engagement",),
            Chart.BARS,
            by=("platform",),
            is_compared=True,
            drill="post",
            width=4,
        ),
        Tile(
            "kinds",
            "Events by kind of reaction",
            ("events",),
            Chart.BARS,
            by=("metric_type",),
            limit=10,
            drill="post",
            width=4,
        ),
        Tile(
            "rates",
            "Rates by platform",
            (
                "engagement",
                "unique_users",
                "engagement_rate",
                "engagement_rate_by_impressions",
                "click_through_rate",
            ),
            Chart.TABLE,
            by=("platform",),
            drill="post",
            width=8,
        ),
    ),
)
