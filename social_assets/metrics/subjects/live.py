"""Live events: their viewers and how long people stay.

Belongs here: the subject and its metrics. All rows are of `live_streaming`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import DEVICE_TYPE, PLATFORM, WEEKDAY, KeyDimension
from social_assets.metrics.formula import Distinct, Quantile, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

EVENT = KeyDimension.of("event", "event_id", "The live event, by its id", name="live_event")

_ATTENDANCES = Total("interactions")

SUBJECT = Subject(
    name="live",
    description="Attendance of live events, by device and platform",
    fact="star.fact_live_streaming_interactions",
    sources=(SourceTable("live_streaming", "star.fact_live_streaming_interactions"),),
    dimensions=(PLATFORM, DEVICE_TYPE, EVENT, WEEKDAY),
    measures=(
        Measure("interactions", Aggregate.COUNT),
        Measure("engagement_sum", Aggregate.SUM, "live_engagement"),
        Measure("viewers_sum", Aggregate.SUM, "viewer_count"),
        Measure("minutes_sum", Aggregate.SUM, "stream_duration"),
        Measure("addiction_level_sum", Aggregate.SUM, "addiction_level"),
        USERS,
        Measure("viewers_quantiles", Aggregate.QUANTILES, "viewer_count"),
    ),
    rollups=(
        RollupTable(
            "rollups.live_streaming_device_daily",
            Grain.DAY,
            ("device_type", "platform"),
            (
                "interactions",
                "engagement_sum",
                "viewers_sum",
                "minutes_sum",
                "addiction_level_sum",
                "users",
                "viewers_quantiles",
            ),
        ),
    ),
    metrics=(
        Metric(
            "live_attendances",
            "Attendances",
            "Times that a user attended a live event",
            "attendances",
            _ATTENDANCES,
        ),
        Metric(
            "live_users",
            "Users of live events",
            "Different users who attended",
            "users",
            Distinct("users"),
        ),
        Metric(
            "live_engagement",
            "Live engagement",
            "Reactions during live events",
            "interactions",
            Total("engagement_sum"),
        ),
        Metric(
            "average_live_engagement",
            "Average live engagement",
            "Mean reactions of an attendance",
            "interactions",
            Ratio(Total("engagement_sum"), _ATTENDANCES),
        ),
        Metric(
            "average_viewers",
            "Average viewers",
            "Mean viewers of the attended events",
            "viewers",
            Ratio(Total("viewers_sum"), _ATTENDANCES),
        ),
        Metric(
            "median_viewers",
            "Median viewers",
            "Half of the attended events had at most this number",
            "viewers",
            Quantile("viewers_quantiles", 0.5),
        ),
        Metric(
            "live_time",
            "Time in live events",
            "Length of the attended events",
            "minutes",
            Total("minutes_sum"),
        ),
        Metric(
            "average_live_time",
            "Average length",
            "Mean length of the attended events",
            "minutes",
            Ratio(Total("minutes_sum"), _ATTENDANCES),
        ),
        Metric(
            "live_addiction_level",
            "Addiction level of live users",
            "Mean of users' own rating, 0 to 10",
            "points",
            Ratio(Total("addiction_level_sum"), _ATTENDANCES),
            rises_is_good=False,
        ),
    ),
)
