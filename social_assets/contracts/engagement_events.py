"""Every like, comment, share, view and rating of a post: one row for an event id and day."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import PLATFORM

METRIC_TYPES = [
    "click",
    "comment",
    "follow",
    "impression",
    "like",
    "rating",
    "reach",
    "share",
    "view",
]

SHOWN = ("reach", "impression", "view")
"""The kinds that say that a post was shown to somebody."""

ENGAGING = ("like", "comment", "share", "click")
"""The kinds that count as engagement."""

METRIC_WEIGHTS: Mapping[str, float] = {
    "view": 0.5,
    "click": 1.0,
    "like": 2.0,
    "rating": 0.25,
    "comment": 3.0,
    "follow": 3.0,
    "share": 4.0,
}
"""How much a unit of `value` of each kind tells a recommender about a user's interest in a post. A
like has the value 1, a rating up to ten points. That a post was shown (impression, reach) tells
nothing."""

LARGEST_VALUE = 10.0
"""Larger values of one event count as this value."""

HALF_LIFE = timedelta(days=14)
"""The age at which a reaction counts half as much as a new one."""


class EngagementEvent(pa.DataFrameModel):
    """One measured reaction of one user, or of an audience, to one post."""

    event_id: str = pa.Field(description="Identity of the event")
    event_time: datetime = pa.Field(description="When it happened, UTC")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it happened")
    account_id: str = pa.Field(description="The account whose post it is")
    post_id: str = pa.Field(description="The post")
    user_id: str = pa.Field(description="Who reacted; Unknown for an audience count")
    metric_type: str = pa.Field(isin=METRIC_TYPES, description="Kind of reaction")
    value: float = pa.Field(ge=0, description="Size of the reaction: 1, a count, or a rating")


CONTRACT = Contract(
    name="engagement_events",
    model=EngagementEvent,
    key=("event_id",),
    event_time="event_time",
    critical=("account_id", "metric_type", "value"),
    persons=("user_id",),
    formats=("ndjson", "parquet"),
    owner="team:engagement",
)
