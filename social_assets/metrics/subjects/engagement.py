"""What people do with posts: likes, comments, views, and the rates made of them.

Belongs here: the subject and its metrics. Only rows of `engagement_events` count, so that a
competitor's account is measured by the same public interactions as one's own.
"""

from __future__ import annotations

from social_assets.contracts.engagement_events import ENGAGING, METRIC_WEIGHTS, SHOWN
from social_assets.metrics.dimension import (
    ACCOUNT,
    HOUR_OF_DAY,
    PLATFORM,
    POST,
    WEEKDAY,
    Dimension,
)
from social_assets.metrics.formula import (
    AsReported,
    Distinct,
    Quantile,
    Ratio,
    Share,
    Total,
    Weighted,
    only,
)
from social_assets.metrics.grain import Grain
from social_assets.metrics.measure import Aggregate, Measure
from social_assets.metrics.metric import Metric, Native, RollupTable, SourceTable, Subject
from social_assets.metrics.users import USERS

METRIC_TYPE = Dimension(name="metric_type", description="Kind of reaction", column="metric_type")

_MEASURES = ("events", "value_sum", "users", "value_quantiles")
_BY_PLATFORM = ("platform", "metric_type")
_BY_ACCOUNT = ("account", "platform", "metric_type")
_BY_POST = ("account", "post", "platform", "metric_type")


def _total(*kinds: str) -> Total:
    return Total("value_sum", only(metric_type=kinds))


_ENGAGEMENT = _total(*ENGAGING)
_WEIGHTED = Weighted(
    tuple(
        (METRIC_WEIGHTS[kind], _total(kind))
        for kind in ("like", "comment", "share", "click", "follow", "view")
    )
)
_REACHED = Distinct("users", only(metric_type=SHOWN))

SUBJECT = Subject(
    name="engagement",
    description="Reactions to posts, by account, post, platform and kind",
    fact="star.fact_engagement",
    sources=(SourceTable("engagement_events", "star.fact_engagement"),),
    dimensions=(PLATFORM, ACCOUNT, POST, METRIC_TYPE, HOUR_OF_DAY, WEEKDAY),
    measures=(
        Measure("events", Aggregate.COUNT),
        Measure("value_sum", Aggregate.SUM, "value"),
        USERS,
        Measure("value_quantiles", Aggregate.QUANTILES, "value"),
    ),
    rollups=(
        RollupTable(
            "rollups.engagement_users_daily",
            Grain.DAY,
            ("platform",),
            ("events", "users"),
            columns_of=((_REACHED.atom, "reached_users"), (_ENGAGEMENT.atom, "engagement_sum")),
        ),
        RollupTable("rollups.engagement_platform_daily", Grain.DAY, _BY_PLATFORM, _MEASURES),
        RollupTable("rollups.engagement_account_daily", Grain.DAY, _BY_ACCOUNT, _MEASURES),
        RollupTable("rollups.engagement_daily", Grain.DAY, _BY_POST, _MEASURES),
        RollupTable(
            "rollups.engagement_platform_hourly", Grain.HOUR, _BY_PLATFORM, _MEASURES, "event_hour"
        ),
        RollupTable(
            "rollups.engagement_account_hourly", Grain.HOUR, _BY_ACCOUNT, _MEASURES, "event_hour"
        ),
        RollupTable("rollups.engagement_hourly", Grain.HOUR, _BY_POST, _MEASURES, "event_hour"),
    ),
    metrics=(
        Metric("likes", "Likes", "Likes of posts", "likes", _total("like")),
        Metric("comments", "Comments", "Comments on posts", "comments", _total("comment")),
        Metric("shares", "Shares", "Times that posts were shared", "shares", _total("share")),
        Metric("views", "Views", "Views of posts, by users and audiences", "views", _total("view")),
        Metric("clicks", "Clicks", "Clicks on posts", "clicks", _total("click")),
        Metric(
            "impressions",
            "Impressions",
            "Times that posts were shown, also more than once to a person",
            "impressions",
            _total("impression"),
        ),
        Metric("follows", "Follows", "Follows that came from posts", "follows", _total("follow")),
        Metric("events", "Events", "Records of any kind", "events", Total("events")),
        Metric(
            "unique_users",
            "Unique users",
            "Different known users who did anything; audience counts name no user",
            "users",
            Distinct("users"),
        ),
        Metric(
            "reach",
            "Reach",
            "Different known users to whom a post was shown, or who viewed it. Users of a longer "
            "period or of several accounts are counted once, so daily values do not sum to it",
            "users",
            _REACHED,
            native=Native(
                "reported_reach",
                "reach counts the users whom records name, and reported_reach all whom the "
                "platform counts, also those that no record names; so reach is lower",
            ),
        ),
        Metric(
            "reported_reach",
            "Reported reach",
            "The platform's own figure of the reach of a post on a day",
            "users",
            AsReported(_total("reach"), by=("post",)),
        ),
        Metric(
            "engagement",
            "Engagement",
            "Likes, comments, shares and clicks",
            "interactions",
            _ENGAGEMENT,
        ),
        Metric(
            "weighted_engagement",
            "Weighted engagement",
            "Reactions, weighted by what they tell of interest, as recommenders weigh them",
            "points",
            _WEIGHTED,
            source="METRIC_WEIGHTS of the contract engagement_events",
        ),
        Metric(
            "engagement_rate",
            "Engagement rate by reach",
            "Engagement for each user reached",
            "ratio",
            Ratio(_ENGAGEMENT, _REACHED),
            source="Meta, Insights: engagement rate = interactions / accounts reached",
        ),
        Metric(
            "engagement_rate_by_impressions",
            "Engagement rate by impressions",
            "Engagement for each time that a post was shown or viewed",
            "ratio",
            Ratio(_ENGAGEMENT, _total("impression", "view")),
            source="X, post analytics: engagement rate = engagements / impressions",
        ),
        Metric(
            "click_through_rate",
            "Click-through rate",
            "Clicks for each time that a post was shown or viewed",
            "ratio",
            Ratio(_total("click"), _total("impression", "view")),
            source="IAB: clicks / impressions",
        ),
        Metric(
            "share_of_voice",
            "Share of voice",
            "The part that a group has in the engagement of all groups of the answer",
            "ratio",
            Share(_ENGAGEMENT),
        ),
        Metric(
            "average_value",
            "Average value",
            "Mean value of an event",
            "value",
            Ratio(Total("value_sum"), Total("events")),
        ),
        Metric(
            "average_rating",
            "Average rating",
            "Mean rating of posts",
            "points",
            Ratio(_total("rating"), Total("events", only(metric_type=("rating",)))),
        ),
        Metric(
            "median_value",
            "Median value",
            "Median of events",
            "value",
            Quantile("value_quantiles", 0.5),
        ),
        Metric(
            "p90_value",
            "90th percentile",
            "90 % of events have at most this value",
            "value",
            Quantile("value_quantiles", 0.9),
        ),
        Metric(
            "p99_value",
            "99th percentile",
            "99 % of events have at most this value",
            "value",
            Quantile("value_quantiles", 0.99),
        ),
    ),
)
