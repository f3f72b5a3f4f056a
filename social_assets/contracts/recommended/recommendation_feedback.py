"""What people do with recommended items: one row for a click, a skip or a stay.

Belongs here: what an event of feedback has, and for how long after an exposure it counts.
"""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Band, Contract, Drift, Freshness
from social_assets.contracts.vocabulary import PLATFORM

CLICK, SKIP, DWELL = "click", "skip", "dwell"
KINDS = [CLICK, SKIP, DWELL]

WINDOW = timedelta(hours=24)
"""Feedback belongs to the newest exposure of the item to the user in this time before it. It must
not be above a day: the dbt model reads the day after an exposure, and no later one."""


class RecommendationFeedback(pa.DataFrameModel):
    """An item that a user opened, passed over, or stayed with."""

    feedback_id: str = pa.Field(description="Identity of the event: sent twice, a duplicate")
    happened_at: datetime = pa.Field(description="When it happened, UTC")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it happened")
    user_id: str = pa.Field(description="Who did it, by the platform's id")
    item_id: str = pa.Field(description="The post or video")
    kind: str = pa.Field(isin=KINDS, description="click, skip or dwell")
    dwell_seconds: float = pa.Field(
        nullable=True, ge=0, description="How long the user stayed; of dwell alone"
    )


CONTRACT = Contract(
    name="recommendation_feedback",
    model=RecommendationFeedback,
    key=("feedback_id",),
    event_time="happened_at",
    critical=("user_id", "item_id", "kind"),
    persons=("user_id",),
    formats=("ndjson", "parquet"),
    owner="team:engagement",
    freshness=Freshness(timedelta(days=3650), timedelta(days=3651), may_be_empty=True),
    drift=Drift(volume=Band(10.0, 1_000.0), missing=Band(1.0, 1.0), category=Band(1.0, 1.0)),
)
