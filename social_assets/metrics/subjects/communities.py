"""Communities: their members, and the time that members spend there.

Belongs here: the subject and its metrics. All rows are of `community_interactions`.
"""

from __future__ import annotations

from social_assets.metrics.dimension import AGE_GROUP, GENDER, PLATFORM, WEEKDAY, KeyDimension
from social_assets.metrics.formula import Distinct, Ratio, Total
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

COMMUNITY = KeyDimension.of("community", "community_id", "The community, by its id")
MEMBERSHIP_STATUS = KeyDimension.of(
    "membership_status", "membership_status", "Membership status of the member"
)

_VISITS = Total("interactions")

SUBJECT = Subject(
    name="communities",
    description="Activity in communities, by community, status and person",
    fact="star.fact_community_interactions",
    sources=(SourceTable("community_interactions", "star.fact_community_interactions"),),
    dimensions=(COMMUNITY, PLATFORM, MEMBERSHIP_STATUS, AGE_GROUP, GENDER, WEEKDAY),
    measures=(
        Measure("interactions", Aggregate.COUNT),
        Measure("engagement_sum", Aggregate.SUM, "community_engagement"),
        Measure("minutes_sum", Aggregate.SUM, "total_time_spent"),
        USERS,
    ),
    rollups=(
        RollupTable(
            "rollups.community_daily",
            Grain.DAY,
            ("community", "platform", "membership_status"),
            ("interactions", "engagement_sum", "minutes_sum", "users"),
        ),
    ),
    metrics=(
        Metric(
            "community_visits",
            "Visits",
            "Days on which a member was active in a community",
            "visits",
            _VISITS,
        ),
        Metric(
            "community_members",
            "Active members",
            "Different members who were active",
            "users",
            Distinct("users"),
        ),
        Metric(
            "community_engagement",
            "Engagement in communities",
            "Reactions of members",
            "interactions",
            Total("engagement_sum"),
        ),
        Metric(
            "average_community_engagement",
            "Engagement of a visit",
            "Mean reactions of a visit",
            "interactions",
            Ratio(Total("engagement_sum"), _VISITS),
        ),
        Metric(
            "community_time",
            "Time in communities",
            "Time that members spent",
            "minutes",
            Total("minutes_sum"),
        ),
        Metric(
            "average_community_time",
            "Time of a visit",
            "Mean time of a visit",
            "minutes",
            Ratio(Total("minutes_sum"), _VISITS),
        ),
    ),
)
