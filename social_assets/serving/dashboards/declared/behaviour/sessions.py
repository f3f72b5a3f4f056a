"""Sessions: how many there are, how long and deep they are, and how many end after one event."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.dashboard import PLATFORM, Dashboard

DASHBOARD = Dashboard(
    name="sessions",
    title="Sessions",
    description="How often and how long users stay, and how much they do, by platform",
    order=45,
    filters=(PLATFORM,),
    tiles=(
        Tile("sessions", "Sessions", ("sessions",), Chart.NUMBER, is_compared=True, width=3),
        Tile(
            "length",
            "Length of a session",
            ("average_session_length",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "events",
            "Events of a session",
            ("events_per_session",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile("bounces", "Bounce rate", ("bounce_rate",), Chart.NUMBER, is_compared=True, width=3),
        Tile(
            "sessions_over_time",
            "Sessions by platform",
            ("sessions",),
            Chart.LINE,
            by=("platform",),
            limit=6,
            width=8,
        ),
        Tile(
            "length_by_platform",
            "Length of a session by platform",
            ("average_session_length",),
            Chart.BARS,
            by=("platform",),
            width=4,
        ),
        Tile(
            "begins",
            "When sessions begin",
            ("sessions",),
            Chart.HEAT_MAP,
            by=("weekday", "hour_of_day"),
            limit=175,
            width=8,
        ),
        Tile(
            "bounces_by_platform",
            "Bounce rate by platform",
            ("bounce_rate",),
            Chart.BARS,
            by=("platform",),
            width=4,
        ),
        Tile(
            "table",
            "Platforms side by side",
            (
                "sessions",
                "session_users",
                "average_session_length",
                "events_per_session",
                "session_depth",
                "bounce_rate",
            ),
            Chart.TABLE,
            by=("platform",),
            limit=20,
            width=12,
        ),
    ),
)
