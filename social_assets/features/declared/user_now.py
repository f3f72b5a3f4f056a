"""What a user has done on the day of the newest event, up to that event."""

from datetime import timedelta

from social_assets.features.feature import Feature, FeatureType, Since, Stated
from social_assets.features.feature_view import USER, FeatureView, WatchedTable
from social_assets.features.history import EventHistory

# Events at the same time have no order: each row has all of them.
_EVENTS = """SELECT event_date, platform_key, user_key, event_time,
  toInt64(sum(events) OVER (PARTITION BY platform_key, user_key, event_date ORDER BY event_time))
    AS events_of_day,
  event_time AS minutes_since_event
FROM (SELECT event_date, platform_key, user_key, event_time, count() AS events
FROM features.user_events WHERE {only}
GROUP BY event_date, platform_key, user_key, event_time)"""

VIEWS = (
    FeatureView(
        name="user_now",
        description="Activity of a user on a platform, known right after each event",
        entity=USER,
        watched=(
            WatchedTable("star.fact_engagement"),
            WatchedTable("star.fact_video_interactions"),
            WatchedTable("star.fact_live_streaming_interactions"),
        ),
        event_time="event_time",
        time_to_live=timedelta(days=1),
        history=EventHistory(_EVENTS),
        features=(
            Feature(
                "events_of_day",
                FeatureType.INTEGER,
                "Events on the day of the newest event, which counts",
                Stated(),
            ),
            Feature(
                "minutes_since_event",
                FeatureType.INTEGER,
                "Whole minutes since the newest event",
                Since(minutes=True),
            ),
        ),
    ),
)
