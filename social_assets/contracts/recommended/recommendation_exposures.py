"""Which items were recommended to whom, at which position, by which model: one row an item shown.

Belongs here: what a logged exposure has. Which feedback belongs to it is computed by the dbt model
`recommendation_exposures` of the layer `features`.
"""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Band, Contract, Drift, Freshness
from social_assets.contracts.vocabulary import PLATFORM


class RecommendationExposure(pa.DataFrameModel):
    """An item of a list that was shown to a user."""

    exposure_id: str = pa.Field(description="Identity of the list that was shown, by who shows it")
    position: int = pa.Field(
        in_range={"min_value": 1, "max_value": 1000}, description="Place in the list, from 1"
    )
    shown_at: datetime = pa.Field(description="When the list was shown, UTC")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it was shown")
    user_id: str = pa.Field(description="Who saw it, by the platform's id")
    item_id: str = pa.Field(description="The post or video")
    model: str = pa.Field(
        metadata={"categorical": True}, description="The recommender that ranked it"
    )
    model_version: str = pa.Field(
        metadata={"categorical": True}, description="Which version of the recommender"
    )
    placement: str = pa.Field(
        metadata={"categorical": True}, description="The place of the list in the app, as home_feed"
    )
    propensity: float = pa.Field(
        nullable=True,
        in_range={"min_value": 0, "max_value": 1},
        description="The chance with which the item was put at this position; null if not drawn",
    )


CONTRACT = Contract(
    name="recommendation_exposures",
    model=RecommendationExposure,
    key=("exposure_id", "position"),
    event_time="shown_at",
    critical=("position", "user_id", "item_id"),
    persons=("user_id",),
    formats=("ndjson", "parquet"),
    owner="team:engagement",
    # Without a service that logs them there are none.
    freshness=Freshness(timedelta(days=3650), timedelta(days=3651), may_be_empty=True),
    # A new model or placement is no fault of the data.
    drift=Drift(volume=Band(10.0, 1_000.0), missing=Band(1.0, 1.0), category=Band(1.0, 1.0)),
)
