"""Unusual sessions: how many go at a pace that people do not have, and of how many users.

Belongs here: the subject and its metrics, over `features.unusual_sessions`. From which limits on a
session is unusual belongs to the dbt model of that table.
"""

from __future__ import annotations

from social_assets.metrics.dimension import HOUR_OF_DAY, PLATFORM, WEEKDAY, Dimension
from social_assets.metrics.formula import Distinct, Total
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, SourceTable, Subject
from social_assets.metrics.users import USERS
from social_assets.warehouse.dbt.behaviour_limits import SESSION_LIMITS

_TABLE = "features.unusual_sessions"
_STREAMS = ("engagement_events", "video_interactions", "live_streaming")
_SOURCE = f"{SESSION_LIMITS} (docs/unusual_behaviour.md)"

KIND = Dimension(
    name="kind",
    description="Why a session is unusual: too_fast, regular or burst, the first that holds",
    column="kind",
)

SUBJECT = Subject(
    name="unusual_sessions",
    description="Sessions that go at a pace that people do not have, by platform and kind",
    fact=_TABLE,
    sources=tuple(SourceTable(stream, _TABLE) for stream in _STREAMS),
    dimensions=(PLATFORM, KIND, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("sessions", Aggregate.COUNT),
        Measure("events_sum", Aggregate.SUM, "events"),
        USERS,
    ),
    rollups=(),
    metrics=(
        Metric(
            "unusual_sessions",
            "Unusual sessions",
            "Sessions of the period that are too fast, regular, or have a burst",
            "sessions",
            Total("sessions"),
            source=_SOURCE,
        ),
        Metric(
            "unusual_session_users",
            "Users with unusual sessions",
            "Different users who had an unusual session",
            "users",
            Distinct("users"),
            source=_SOURCE,
        ),
        Metric(
            "unusual_session_events",
            "Events of unusual sessions",
            "Reactions, watched videos and live events in unusual sessions",
            "events",
            Total("events_sum"),
            source=_SOURCE,
        ),
    ),
    nothing="No unusual session in this range.",
)
