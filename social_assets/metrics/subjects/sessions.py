"""Sessions: how long users stay, how much they do, and how often they leave after one event.

Belongs here: the subject and its metrics, over `features.sessions`. When a session begins and ends
belongs to the dbt model of that table.
"""

from __future__ import annotations

from social_assets.metrics.dimension import HOUR_OF_DAY, PLATFORM, WEEKDAY
from social_assets.metrics.formula import Distinct, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

_TABLE = "features.sessions"
_STREAMS = ("engagement_events", "video_interactions", "live_streaming")
_SESSIONS = Total("sessions")
_SOURCE = "A pause of more than 30 minutes ends a session (docs/sessions.md)"

SUBJECT = Subject(
    name="sessions",
    description="Sessions of users, by platform; each on the day on which it begins",
    fact=_TABLE,
    sources=tuple(SourceTable(stream, _TABLE) for stream in _STREAMS),
    dimensions=(PLATFORM, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("sessions", Aggregate.COUNT),
        Measure("bounces", Aggregate.SUM, "is_bounce"),
        Measure("minutes_sum", Aggregate.SUM, "minutes"),
        Measure("events_sum", Aggregate.SUM, "events"),
        Measure("items_sum", Aggregate.SUM, "items"),
        USERS,
    ),
    rollups=(
        RollupTable(
            "features.sessions_daily",
            Grain.DAY,
            ("platform",),
            ("sessions", "bounces", "minutes_sum", "events_sum", "items_sum", "users"),
        ),
    ),
    metrics=(
        Metric(
            "sessions",
            "Sessions",
            "Sessions that begin in the period",
            "sessions",
            _SESSIONS,
            source=_SOURCE,
        ),
        Metric(
            "session_users",
            "Users with sessions",
            "Different users who had a session",
            "users",
            Distinct("users"),
            source=_SOURCE,
        ),
        Metric(
            "average_session_length",
            "Length of a session",
            "Mean time from the first event of a session to the last; one event has no length",
            "minutes",
            Ratio(Total("minutes_sum"), _SESSIONS),
            source=_SOURCE,
        ),
        Metric(
            "events_per_session",
            "Events of a session",
            "Mean number of reactions, watched videos and live events of a session",
            "events",
            Ratio(Total("events_sum"), _SESSIONS),
            source=_SOURCE,
        ),
        Metric(
            "session_depth",
            "Depth of a session",
            "Mean number of different posts, videos and live events of a session",
            "items",
            Ratio(Total("items_sum"), _SESSIONS),
            source=_SOURCE,
        ),
        Metric(
            "bounce_rate",
            "Bounce rate",
            "The part of the sessions that has one event",
            "ratio",
            Ratio(Total("bounces"), _SESSIONS),
            source=_SOURCE,
            rises_is_good=False,
        ),
    ),
    filled_by="load files; then the asset `features/sessions` makes the sessions of their days",
)
