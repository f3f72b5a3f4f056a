"""Who watched which live event on which device: one row for an event id and day."""

import pandera.ibis as pa

from social_assets.contracts.column import HourOf, TimeOfDay
from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import PLATFORM


class LiveStreaming(pa.DataFrameModel):
    """One live event for one user: its audience, length and device."""

    event_id: str = pa.Field(description="The live event")
    event_type: str = pa.Field(
        metadata={"categorical": True}, description="Sports, concert, gaming, Q&A"
    )
    user_id: str = pa.Field(description="Who watched")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it was shown")
    live_engagement: float = pa.Field(ge=0, description="Reactions during the event")
    viewer_count: float = pa.Field(ge=0, description="Viewers at the peak")
    stream_duration: float = pa.Field(ge=0, description="Length, minutes")
    device_type: str = pa.Field(
        metadata={"categorical": True}, description="Smartphone, tablet, computer"
    )
    watch_time: str = pa.Field(
        metadata={"standardize": TimeOfDay()}, nullable=True, description="Time of day, HH:MM:SS"
    )
    addiction_level: float = pa.Field(
        in_range={"min_value": 0, "max_value": 10}, description="Self-rated addiction, 0 to 10"
    )
    hour: int = pa.Field(
        metadata={"derive": HourOf("watch_time")}, nullable=True, description="Hour of watch_time"
    )


CONTRACT = Contract(
    name="live_streaming",
    model=LiveStreaming,
    key=("event_id",),
    time_of_day="watch_time",
    critical=("user_id",),
    persons=("user_id",),
    formats=("ndjson",),
    owner="team:engagement",
)
