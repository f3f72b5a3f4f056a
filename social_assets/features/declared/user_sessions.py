"""How long and how often a user came on the last days, from the sessions."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Mean, Sum
from social_assets.features.feature_view import USER, FeatureView, WatchedTable
from social_assets.features.history import DailyTable, DailyWindows

VIEWS = (
    FeatureView(
        name="user_sessions",
        description="Sessions of a user on a platform, known a day after their first day",
        entity=USER,
        watched=(WatchedTable("features.sessions"),),
        event_time="event_time",
        time_to_live=timedelta(days=90),
        history=DailyWindows(
            tables=(
                DailyTable(
                    "features.sessions",
                    (("sessions", "1"), ("bounces", "is_bounce"), ("minutes", "minutes")),
                ),
            ),
            counts=("sessions", "bounces"),
            amounts=("minutes",),
            # A session may go on across one midnight: events of the next day still change it.
            known_after_days=2,
        ),
        features=(
            Feature(
                "sessions_7d",
                FeatureType.INTEGER,
                "Sessions on the last 7 days",
                Sum("sessions", 7),
            ),
            Feature(
                "sessions_28d",
                FeatureType.INTEGER,
                "Sessions on the last 28 days",
                Sum("sessions", 28),
            ),
            Feature(
                "session_minutes_28d",
                FeatureType.NUMBER,
                "Minutes in sessions on the last 28 days",
                Sum("minutes", 28),
            ),
            Feature(
                "mean_session_minutes_28d",
                FeatureType.NUMBER,
                "Mean minutes of a session of the last 28 days",
                Mean("minutes", "sessions", 28),
            ),
            Feature(
                "bounce_rate_28d",
                FeatureType.NUMBER,
                "The part of the sessions of the last 28 days that has one event",
                Mean("bounces", "sessions", 28),
            ),
        ),
    ),
)
