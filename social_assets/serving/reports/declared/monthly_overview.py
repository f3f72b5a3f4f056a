"""The month of one or several accounts."""

from social_assets.metrics.grain import Grain
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.reports.report import Page, Report

REPORT = Report(
    name="monthly_overview",
    title="Monthly overview",
    description="Engagement, reach and best posts of a month, against the month before",
    period=Grain.MONTH,
    headline=("engagement", "reach", "engagement_rate", "follows"),
    pages=(
        Page(
            "Engagement and reach",
            (
                Tile("engagement", "Engagement by day", ("engagement",), Chart.LINE),
                Tile("reach", "Reach by day", ("reach",), Chart.LINE),
            ),
        ),
        Page(
            "Platforms and posts",
            (
                Tile(
                    "platforms",
                    "Engagement by platform",
                    ("engagement",),
                    Chart.BARS,
                    ("platform",),
                ),
                Tile(
                    "posts",
                    "Posts with the most engagement",
                    ("engagement",),
                    Chart.BARS,
                    ("post",),
                    limit=10,
                ),
            ),
        ),
    ),
)
