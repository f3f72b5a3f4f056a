"""The account overview: a period against the one before, best posts and times, sentiment."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import ACCOUNT, PLATFORM, Dashboard


def _number(metric: str, title: str) -> Tile:
    return Tile(metric, title, (metric,), Chart.NUMBER, is_compared=True, width=2)


DASHBOARD = Dashboard(
    name="account_overview",
    title="Account overview",
    description="This period against the one before, best posts, when people react, sentiment",
    order=10,
    range="last_7_days",
    filters=(ACCOUNT, PLATFORM),
    tiles=(
        _number("engagement", "Engagement"),
        _number("engagement_rate_by_impressions", "Engagement rate by impressions"),
        _number("views", "Views"),
        _number("reach", "Reach"),
        _number("follows", "Follows from posts"),
        _number("click_through_rate", "Click-through rate"),
        Tile(
            "engagement_over_time",
            "Engagement, and the period before",
            ("engagement",),
            Chart.LINE,
            is_compared=True,
            width=7,
        ),
        Tile(
            "kinds",
            "Engagement by kind",
            ("likes", "comments", "shares", "clicks", "follows"),
            Chart.TABLE,
            by=("platform",),
            drill="post",
            width=5,
        ),
        Tile(
            "best_posts",
            "Best posts by engagement",
            ("engagement",),
            Chart.BARS,
            by=("post",),
            limit=10,
            drill="post",
        ),
        Tile(
            "best_time",
            "When people react: engagement by weekday and hour",
            ("engagement",),
            Chart.HEAT_MAP,
            by=("weekday", "hour_of_day"),
            limit=168,
            drill="post",
            note="Hours of the page's time zone. Post shortly before the hours with the most.",
        ),
        Tile(
            "sentiment_over_time",
            "Sentiment, and the period before",
            ("sentiment",),
            Chart.LINE,
            is_compared=True,
            note="Mean score of posts and of comments on them: -1 is negative, 1 is positive.",
            width=7,
        ),
        Tile(
            "texts_by_label",
            "Texts by sentiment",
            ("texts",),
            Chart.STACK,
            by=("label",),
            drill="post",
            width=5,
        ),
    ),
)
