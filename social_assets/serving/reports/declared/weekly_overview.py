"""The week of one or several accounts: what account managers read on Monday."""

from social_assets.metrics.grain import Grain
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.reports.report import Page, Report

REPORT = Report(
    name="weekly_overview",
    title="Weekly overview",
    description="Engagement, reach and best posts of a week, against the week before",
    period=Grain.WEEK,
    headline=(
        "engagement",
        "reach",
        "engagement_rate",
        "views",
        "likes",
        "comments",
        "shares",
        "follows",
    ),
    pages=(
        Page(
            "Engagement",
            (
                Tile("engagement", "Engagement by day", ("engagement",), Chart.LINE),
                Tile("kinds", "Events by kind", ("events",), Chart.STACK, ("metric_type",)),
            ),
        ),
        Page(
            "Reach",
            (
                Tile(
                    "reach", "Reach and unique users by day", ("reach", "unique_users"), Chart.LINE
                ),
                Tile("rate", "Engagement rate by day", ("engagement_rate",), Chart.LINE),
            ),
        ),
        Page(
            "Platforms and accounts",
            (
                Tile(
                    "platforms",
                    "Engagement by platform",
                    ("engagement",),
                    Chart.BARS,
                    ("platform",),
                ),
                Tile(
                    "accounts", "Engagement by account", ("engagement",), Chart.BARS, ("account",)
                ),
            ),
        ),
        Page(
            "Posts and hours",
            (
                Tile(
                    "posts",
                    "Posts with the most engagement",
                    ("engagement",),
                    Chart.BARS,
                    ("post",),
                    limit=10,
                ),
                Tile(
                    "hours",
                    "Engagement by hour of the day",
                    ("engagement",),
                    Chart.COLUMNS,
                    ("hour_of_day",),
                    limit=24,
                ),
            ),
        ),
    ),
)
