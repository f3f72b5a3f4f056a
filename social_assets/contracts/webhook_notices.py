"""What platforms push that is no comment: one row for an event of a webhook."""

from datetime import datetime, timedelta

import pandera.ibis as pa

from social_assets.contracts.contract import Band, Contract, Drift, Freshness


class WebhookNotice(pa.DataFrameModel):
    """An event that a platform has pushed: a reaction, a follow, a new video."""

    platform: str = pa.Field(metadata={"categorical": True}, description="Which platform pushed it")
    notice_id: str = pa.Field(
        description="The platform's id of the event, or a key made of its content"
    )
    account_id: str = pa.Field(nullable=True, description="The account that was subscribed to")
    kind: str = pa.Field(
        metadata={"categorical": True}, description="The platform's words for what happened"
    )
    happened_at: datetime = pa.Field(
        description="When it happened, UTC; if the platform does not say, when it arrived"
    )
    received_at: datetime = pa.Field(description="When it arrived, UTC")
    payload: str = pa.Field(description="What the platform says of it: JSON, or XML of YouTube")


CONTRACT = Contract(
    name="webhook_notices",
    model=WebhookNotice,
    key=("platform", "notice_id"),
    critical=("kind",),
    event_time="happened_at",
    formats=("ndjson",),
    owner="team:collection",
    # They come when something happens, and not at all before a platform is set up.
    freshness=Freshness(timedelta(days=7), timedelta(days=30), may_be_empty=True),
    drift=Drift(volume=Band(10.0, 100.0)),
)
