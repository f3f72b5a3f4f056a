"""Competitors: accounts side by side, by public interactions only."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import ACCOUNT, PLATFORM, Dashboard

_PUBLIC = "Public interactions only, so that one's own accounts have no advantage."

DASHBOARD = Dashboard(
    name="competitors",
    title="Competitors",
    description="Accounts side by side: ranks, share of voice, index against the median",
    order=90,
    filters=(ACCOUNT, PLATFORM),
    tiles=(
        Tile(
            "ranks",
            "Ranks by engagement",
            ("engagement", "share_of_voice", "likes", "comments", "shares", "views"),
            Chart.TABLE,
            by=("account",),
            limit=50,
            is_ranked=True,
            drill="post",
            note=f"{_PUBLIC} Index 100 is the median of the accounts shown.",
            width=12,
        ),
        Tile(
            "share_of_voice",
            "Share of voice",
            ("share_of_voice",),
            Chart.BARS,
            by=("account",),
            limit=12,
            drill="post",
            note="The part of an account in the engagement of all accounts of the filter.",
        ),
        Tile(
            "growth",
            "Engagement, and the period before",
            ("engagement",),
            Chart.BARS,
            by=("account",),
            limit=12,
            is_compared=True,
            drill="post",
            note=_PUBLIC,
        ),
        Tile(
            "over_time",
            "Engagement over time",
            ("engagement",),
            Chart.LINE,
            by=("account",),
            limit=6,
            drill="post",
            width=12,
        ),
    ),
)
