"""Who was shown which variant of an experiment: one row for an exposure and day.

Belongs here: what a logged exposure has. Which exposure of a unit counts, and what is computed from
them, belongs to `recommend.experiments`.
"""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Band, Contract, Drift, Freshness
from social_assets.contracts.vocabulary import PLATFORM


class ExperimentExposure(pa.DataFrameModel):
    """A user or an account that came under a variant of an experiment, logged when it happened."""

    exposure_id: str = pa.Field(description="Identity of the exposure: sent twice, a duplicate")
    exposed_at: datetime = pa.Field(description="When the variant was shown, UTC")
    experiment: str = pa.Field(
        metadata={"categorical": True}, description="The experiment, by its declared name"
    )
    variant: str = pa.Field(metadata={"categorical": True}, description="The variant, by its name")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it was shown")
    user_id: str = pa.Field(nullable=True, description="Who saw it, by the platform's id")
    account_id: str = pa.Field(
        nullable=True, description="The account that it was about, if accounts are divided"
    )
    item_ids: list[str] = pa.Field(
        nullable=True, description="The posts or videos that were shown, in order"
    )


CONTRACT = Contract(
    name="experiment_exposures",
    model=ExperimentExposure,
    key=("exposure_id",),
    event_time="exposed_at",
    critical=("experiment", "variant"),
    persons=("user_id",),
    formats=("ndjson", "parquet"),
    owner="team:engagement",
    # Without a running experiment there are none.
    freshness=Freshness(timedelta(days=3650), timedelta(days=3651), may_be_empty=True),
    # An experiment begins and ends on a day, and each has its own names.
    drift=Drift(volume=Band(100.0, 10_000.0), missing=Band(1.0, 1.0), category=Band(1.0, 1.0)),
)
