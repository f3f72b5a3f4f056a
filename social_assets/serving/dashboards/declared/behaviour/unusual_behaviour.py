"""Unusual behaviour: sessions at a pace that people do not have, texts that many write at once."""

from social_assets.serving.charts.tile import Chart, Tile
from social_assets.serving.dashboards.behaviour import read
from social_assets.serving.dashboards.dashboard import PLATFORM, Dashboard
from social_assets.serving.dashboards.health.tile import HealthTile
from social_assets.warehouse.dbt.behaviour_limits import SESSION_LIMITS, TEXT_LIMITS

DASHBOARD = Dashboard(
    name="unusual_behaviour",
    title="Unusual behaviour",
    description="Sessions at a pace that people do not have, texts that many write at once",
    order=46,
    filters=(PLATFORM,),
    tiles=(
        Tile(
            "sessions",
            "Unusual sessions",
            ("unusual_sessions",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "users",
            "Users with unusual sessions",
            ("unusual_session_users",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "bursts",
            "Bursts of coordinated texts",
            ("coordinated_bursts",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "texts",
            "Coordinated texts",
            ("coordinated_texts",),
            Chart.NUMBER,
            is_compared=True,
            width=3,
        ),
        Tile(
            "sessions_over_time",
            "Unusual sessions by kind",
            ("unusual_sessions",),
            Chart.LINE,
            by=("kind",),
            limit=3,
            width=6,
        ),
        Tile(
            "bursts_over_time",
            "Coordinated bursts by platform",
            ("coordinated_bursts",),
            Chart.LINE,
            by=("platform",),
            limit=6,
            width=6,
        ),
        HealthTile(
            "listed_texts",
            "Coordinated texts",
            Chart.TABLE,
            read.texts,
            str(TEXT_LIMITS),
            (read.COORDINATED_TEXTS,),
            note="Of all platforms, the bursts with most authors first.",
            empty="No burst of equal texts in this range.",
            width=12,
        ),
        HealthTile(
            "listed_sessions",
            "Unusual sessions",
            Chart.TABLE,
            read.sessions,
            str(SESSION_LIMITS),
            (read.UNUSUAL_SESSIONS,),
            note="Of all platforms, the sessions with most events first.",
            empty="No unusual session in this range.",
            width=12,
        ),
    ),
)
