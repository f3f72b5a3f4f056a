"""Activity in all streams together, by platform and by the hour of the day.

Belongs here: the subject and its metrics. The hour of the day is the one that the record tells, in
its own time zone: the hour of an event, or the time of watching that a person names.
"""

from __future__ import annotations

from social_assets.metrics.dimension import PLATFORM, STREAM, WEEKDAY, Dimension
from social_assets.metrics.formula import Distinct, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

TOLD_HOUR = Dimension(
    name="told_hour",
    description="Hour of the day that the record tells, 0 to 23; -1 where it tells none",
    column="hour_of_day",
)

_FACTS = (
    ("engagement_events", "star.fact_engagement", "value", "toInt8(toHour(event_time))"),
    ("video_interactions", "star.fact_video_interactions", "engagement", "hour_of_day"),
    ("live_streaming", "star.fact_live_streaming_interactions", "live_engagement", "hour_of_day"),
)
_SELECTS = tuple(
    f"SELECT event_date, event_time, '{stream}' AS stream, platform_key, user_key, "
    f"{engagement} AS engagement, {hour} AS hour_of_day FROM {fact}"
    for stream, fact, engagement, hour in _FACTS
)

_INTERACTIONS = Total("interactions")
_MEASURES = ("interactions", "engagement_sum", "users")

SUBJECT = Subject(
    name="activity",
    description="Records of engagement, video and live streams, by platform and hour of the day",
    fact=f"({' UNION ALL '.join(_SELECTS)})",
    sources=tuple(SourceTable(stream, fact) for stream, fact, _, _ in _FACTS),
    dimensions=(STREAM, PLATFORM, TOLD_HOUR, WEEKDAY),
    measures=(
        Measure("interactions", Aggregate.COUNT),
        Measure("engagement_sum", Aggregate.SUM, "engagement"),
        USERS,
    ),
    rollups=(
        RollupTable(
            "rollups.hour_of_day_daily", Grain.DAY, ("stream", "platform", "told_hour"), _MEASURES
        ),
    ),
    metrics=(
        Metric("interactions", "Interactions", "Records of any stream", "records", _INTERACTIONS),
        Metric(
            "active_users",
            "Active users",
            "Different known users of any stream",
            "users",
            Distinct("users"),
        ),
        Metric(
            "activity",
            "Activity",
            "Engagement of all streams, each by its own measure",
            "interactions",
            Total("engagement_sum"),
        ),
        Metric(
            "average_activity",
            "Average activity",
            "Mean engagement of a record",
            "interactions",
            Ratio(Total("engagement_sum"), _INTERACTIONS),
        ),
    ),
)
