"""Who is active: age groups and genders, in the streams that know them.

Belongs here: the subject and its metrics, over `video_interactions` and `community_interactions`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import AGE_GROUP, GENDER, STREAM, WEEKDAY
from social_assets.metrics.formula import Distinct, Ratio, Share, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

_FACTS = (
    ("video_interactions", "star.fact_video_interactions", "engagement", "time_spent_on_video"),
    (
        "community_interactions",
        "star.fact_community_interactions",
        "community_engagement",
        "total_time_spent",
    ),
)
_SELECTS = tuple(
    f"SELECT event_date, event_time, '{stream}' AS stream, age_group, gender, user_key, "
    f"{engagement} AS engagement, {minutes} AS minutes FROM {fact}"
    for stream, fact, engagement, minutes in _FACTS
)

_RECORDS = Total("interactions")

SUBJECT = Subject(
    name="people",
    description="Activity of people whose age is known, by age group and gender",
    fact=f"({' UNION ALL '.join(_SELECTS)})",
    sources=tuple(SourceTable(stream, fact) for stream, fact, _, _ in _FACTS),
    dimensions=(AGE_GROUP, GENDER, STREAM, WEEKDAY),
    measures=(
        Measure("interactions", Aggregate.COUNT),
        Measure("engagement_sum", Aggregate.SUM, "engagement"),
        Measure("minutes_sum", Aggregate.SUM, "minutes"),
        USERS,
    ),
    rollups=(
        RollupTable(
            "rollups.age_group_daily",
            Grain.DAY,
            ("stream", "age_group", "gender"),
            ("interactions", "engagement_sum", "minutes_sum", "users"),
        ),
    ),
    metrics=(
        Metric(
            "people", "People", "Different users whose age is known", "users", Distinct("users")
        ),
        Metric(
            "time_spent",
            "Time spent",
            "Time with videos and in communities",
            "minutes",
            Total("minutes_sum"),
        ),
        Metric(
            "average_time_spent",
            "Average time spent",
            "Mean time of a record",
            "minutes",
            Ratio(Total("minutes_sum"), _RECORDS),
        ),
        Metric(
            "people_engagement",
            "Engagement of people",
            "Engagement with videos and in communities",
            "interactions",
            Total("engagement_sum"),
        ),
        Metric(
            "average_people_engagement",
            "Average engagement of people",
            "Mean engagement of a record",
            "interactions",
            Ratio(Total("engagement_sum"), _RECORDS),
        ),
        Metric(
            "share_of_time",
            "Share of time",
            "The part that a group has in the time of all groups of the answer",
            "ratio",
            Share(Total("minutes_sum")),
        ),
    ),
)
