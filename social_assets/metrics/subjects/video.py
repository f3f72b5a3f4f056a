"""How people watch videos: time, reason, and what they say of its effect.

Belongs here: the subject and its metrics. All rows are of `video_interactions`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import (
    AGE_GROUP,
    DEVICE_TYPE,
    GENDER,
    PLATFORM,
    WEEKDAY,
    Dimension,
    KeyDimension,
)
from social_assets.metrics.formula import Distinct, Quantile, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

WATCH_REASON = Dimension(
    name="watch_reason",
    description="Habit, boredom, entertainment, procrastination",
    column="watch_reason",
)
VIDEO = KeyDimension.of("video", "video_id", "The video, by the platform's id")

_WATCHED = Total("interactions")

SUBJECT = Subject(
    name="video",
    description="Time with videos, by reason, platform, device and person",
    fact="star.fact_video_interactions",
    sources=(SourceTable("video_interactions", "star.fact_video_interactions"),),
    dimensions=(PLATFORM, WATCH_REASON, DEVICE_TYPE, AGE_GROUP, GENDER, VIDEO, WEEKDAY),
    measures=(
        Measure("interactions", Aggregate.COUNT),
        Measure("engagement_sum", Aggregate.SUM, "engagement"),
        Measure("minutes_sum", Aggregate.SUM, "time_spent_on_video"),
        Measure("productivity_loss_sum", Aggregate.SUM, "productivity_loss"),
        Measure("satisfaction_sum", Aggregate.SUM, "satisfaction"),
        Measure("self_control_sum", Aggregate.SUM, "self_control"),
        Measure("addiction_level_sum", Aggregate.SUM, "addiction_level"),
        USERS,
        Measure("minutes_quantiles", Aggregate.QUANTILES, "time_spent_on_video"),
    ),
    rollups=(
        RollupTable(
            "rollups.video_watch_reason_daily",
            Grain.DAY,
            ("watch_reason", "platform"),
            (
                "interactions",
                "engagement_sum",
                "minutes_sum",
                "productivity_loss_sum",
                "satisfaction_sum",
                "self_control_sum",
                "addiction_level_sum",
                "users",
                "minutes_quantiles",
            ),
        ),
    ),
    metrics=(
        Metric("videos_watched", "Videos watched", "Videos that users watched", "videos", _WATCHED),
        Metric(
            "video_viewers", "Viewers", "Different users who watched", "users", Distinct("users")
        ),
        Metric("watch_time", "Watch time", "Time spent on videos", "minutes", Total("minutes_sum")),
        Metric(
            "average_watch_time",
            "Average watch time",
            "Mean time that a user spends on a video",
            "minutes",
            Ratio(Total("minutes_sum"), _WATCHED),
        ),
        Metric(
            "median_watch_time",
            "Median watch time",
            "Half of the videos are watched for at most this time",
            "minutes",
            Quantile("minutes_quantiles", 0.5),
        ),
        Metric(
            "p90_watch_time",
            "90th percentile of watch time",
            "Nine of ten videos are watched for at most this time",
            "minutes",
            Quantile("minutes_quantiles", 0.9),
        ),
        Metric(
            "video_engagement",
            "Engagement with videos",
            "Reactions that the watched videos had",
            "interactions",
            Total("engagement_sum"),
        ),
        Metric(
            "productivity_loss",
            "Productivity loss",
            "Mean of what users say of their loss of productivity",
            "points",
            Ratio(Total("productivity_loss_sum"), _WATCHED),
            rises_is_good=False,
        ),
        Metric(
            "satisfaction",
            "Satisfaction",
            "Mean of users' own rating, 0 to 10",
            "points",
            Ratio(Total("satisfaction_sum"), _WATCHED),
        ),
        Metric(
            "self_control",
            "Self-control",
            "Mean of users' own rating, 0 to 10",
            "points",
            Ratio(Total("self_control_sum"), _WATCHED),
        ),
        Metric(
            "addiction_level",
            "Addiction level",
            "Mean of users' own rating, 0 to 10",
            "points",
            Ratio(Total("addiction_level_sum"), _WATCHED),
            rises_is_good=False,
        ),
    ),
)
