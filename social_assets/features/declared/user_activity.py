"""How active a user was on the last days, from the facts."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Since, Sum
from social_assets.features.feature_view import USER, FeatureView, WatchedTable
from social_assets.features.history import DailyTable, DailyWindows
from social_assets.metrics.users import KNOWN_USER

_FACTS = (
    "star.fact_engagement",
    "star.fact_video_interactions",
    "star.fact_live_streaming_interactions",
    "star.fact_community_interactions",
)
_OF_ENGAGEMENT = (("reactions", "1"), ("likes", "metric_type = 'like'"))

VIEWS = (
    FeatureView(
        name="user_activity",
        description="Events of a user on a platform over the last days that have ended",
        entity=USER,
        watched=tuple(WatchedTable(fact) for fact in _FACTS),
        event_time="event_date",
        time_to_live=timedelta(days=90),
        history=DailyWindows(
            tables=tuple(
                DailyTable(
                    fact,
                    (("events", "1"), *(_OF_ENGAGEMENT if fact == _FACTS[0] else ())),
                    KNOWN_USER,
                )
                for fact in _FACTS
            ),
            counts=("events", "reactions", "likes"),
        ),
        features=(
            Feature(
                "events_7d", FeatureType.INTEGER, "Events on the last 7 days", Sum("events", 7)
            ),
            Feature(
                "events_28d", FeatureType.INTEGER, "Events on the last 28 days", Sum("events", 28)
            ),
            Feature(
                "reactions_7d",
                FeatureType.INTEGER,
                "Reactions on the last 7 days",
                Sum("reactions", 7),
            ),
            Feature(
                "reactions_28d",
                FeatureType.INTEGER,
                "Reactions on the last 28 days",
                Sum("reactions", 28),
            ),
            Feature(
                "likes_28d", FeatureType.INTEGER, "Likes on the last 28 days", Sum("likes", 28)
            ),
            Feature(
                "days_since_active", FeatureType.INTEGER, "Days since the last active day", Since()
            ),
        ),
    ),
)
