"""Communities: visits, active members and the time that they spend."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import AGE_GROUP, GENDER, PLATFORM, Dashboard

DASHBOARD = Dashboard(
    name="communities",
    title="Communities",
    description="Visits, active members and their time, by community and membership",
    order=30,
    filters=(PLATFORM, AGE_GROUP, GENDER),
    tiles=(
        Tile("visits", "Visits", ("community_visits",), Chart.NUMBER, is_compared=True, width=3),
        Tile(
            "members",
            "Active members",
            ("community_members",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "time",
            "Time of a visit",
            ("average_community_time",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "engagement",
            "Engagement of a visit",
            ("average_community_engagement",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "visits_over_time",
            "Visits by membership",
            ("community_visits",),
            Chart.LINE,
            by=("membership_status",),
            limit=6,
            drill="community",
            width=8,
        ),
        Tile(
            "status",
            "Time spent by membership",
            ("community_time",),
            Chart.BARS,
            by=("membership_status",),
            drill="community",
            width=4,
        ),
        Tile(
            "top",
            "Communities with the most time",
            ("community_time",),
            Chart.BARS,
            by=("community",),
            limit=10,
        ),
        Tile(
            "table",
            "Communities side by side",
            ("community_visits", "community_members", "average_community_time"),
            Chart.TABLE,
            by=("community",),
            limit=50,
        ),
    ),
)
