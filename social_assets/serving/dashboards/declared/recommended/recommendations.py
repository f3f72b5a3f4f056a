"""Recommendations: what is shown, and what is clicked, by position and by model."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import PLATFORM, Dashboard

_RATE = ("recommendation_click_through_rate",)

DASHBOARD = Dashboard(
    name="recommendations",
    title="Recommendations",
    description="How many recommended items are shown and clicked, by position and by model",
    order=94,
    filters=(PLATFORM,),
    tiles=(
        Tile(
            "shown", "Items shown", ("recommended_items",), Chart.NUMBER, is_compared=True, width=3
        ),
        Tile(
            "clicks", "Clicks", ("recommendation_clicks",), Chart.NUMBER, is_compared=True, width=3
        ),
        Tile("rate", "Click-through", _RATE, Chart.NUMBER, is_compared=True, width=3),
        Tile(
            "dwell",
            "Stay with an item",
            ("recommendation_dwell_time",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "by_position",
            "Click-through by position",
            _RATE,
            Chart.BARS,
            by=("position",),
            limit=20,
            width=6,
        ),
        Tile(
            "by_model",
            "Click-through by model",
            _RATE,
            Chart.LINE,
            by=("model",),
            limit=6,
            width=6,
        ),
        Tile(
            "table",
            "Models side by side",
            (
                "recommended_items",
                "recommendation_users",
                "recommendation_clicks",
                "recommendation_click_through_rate",
                "recommendation_skip_rate",
                "recommendation_dwell_time",
            ),
            Chart.TABLE,
            by=("model", "placement"),
            limit=20,
            width=12,
        ),
    ),
)
