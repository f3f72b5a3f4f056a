"""Collected accounts: followers, growth, new reactions and posts of tracked accounts."""

from social_assets.metrics.planner.question import Filter
from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import ACCOUNT, PLATFORM, Dashboard

_BETWEEN = "Counted between two collections; what a post had before its first one is not new."
_COUNTED = (Filter("counter", ("likes", "comments", "shares")),)


def _number(metric: str, title: str, note: str = "") -> Tile:
    return Tile(metric, title, (metric,), Chart.NUMBER, is_compared=True, width=3, note=note)


DASHBOARD = Dashboard(
    name="collected_accounts",
    title="Collected accounts",
    description="Followers, new reactions and posts of tracked accounts",
    order=15,
    filters=(ACCOUNT, PLATFORM),
    tiles=(
        _number("followers", "Followers", "The last number of each account."),
        _number("followers_gained", "Followers gained"),
        _number("new_engagement", "New engagement", _BETWEEN),
        _number("posts_published", "Posts published"),
        _number(
            "engagement_rate_of_last_posts",
            "Engagement rate of the last 12 posts",
            "Likes and comments of a post, by the followers.",
        ),
        _number("posting_frequency", "Posts a week", "Of the last 28 days, mean of accounts."),
        _number(
            "quality_score",
            "Quality score",
            "0 to 1: complete profile, plausible engagement, steady followers.",
        ),
        _number("follower_growth", "Follower growth"),
        Tile(
            "followers_over_time",
            "Followers over time",
            ("followers",),
            Chart.LINE,
            by=("platform",),
            width=7,
        ),
        Tile(
            "growth",
            "Growth by account",
            ("follower_growth",),
            Chart.BARS,
            by=("account",),
            limit=12,
            note="Followers gained in the range, by the followers before it.",
            width=5,
        ),
        Tile(
            "new_likes_over_time",
            "New likes by platform",
            ("new_likes",),
            Chart.STACK,
            by=("platform",),
            note=_BETWEEN,
            width=7,
        ),
        Tile(
            "posts_over_time",
            "Posts published by platform",
            ("posts_published",),
            Chart.STACK,
            by=("platform",),
            width=5,
        ),
        Tile(
            "top_posts",
            "Top posts by new engagement",
            ("new_engagement", "found_engagement"),
            Chart.TABLE,
            by=("platform", "post"),
            where=_COUNTED,
            limit=10,
            width=12,
        ),
        Tile(
            "accounts",
            "Accounts",
            (
                *("followers", "followers_gained", "follower_growth", "posts_published"),
                *("new_engagement", "engagement_rate_by_followers", "corrections"),
                *("engagement_rate_of_last_posts", "posting_frequency", "quality_score"),
            ),
            Chart.TABLE,
            by=("platform", "account"),
            limit=100,
            width=12,
        ),
    ),
)
