"""What people watch, on which device, why and with what effect: one row for user, video and day."""

from datetime import timedelta

import pandera.ibis as pa

from social_assets.contracts.column import AgeGroup, HourOf, TimeOfDay
from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import GENDER, PLATFORM

WATCHED, LENGTH = "time_spent_on_video", "video_length"
"""The minutes that a user watched, and those that the video has: their ratio tells interest."""

WATCHED_WEIGHT = 2.0
"""How much a completely watched video tells a recommender about a user's interest; a part of it
counts by its share. A whole video counts as much as a like of a post."""

HALF_LIFE = timedelta(days=14)
"""The age at which a watched video counts half as much as a new one."""


class VideoInteraction(pa.DataFrameModel):
    """One user's time with one video: attention, mood and setting."""

    user_id: str = pa.Field(description="Who watched")
    age: int = pa.Field(
        in_range={"min_value": 13, "max_value": 100}, description="Age of the user in years"
    )
    gender: str = pa.Field(metadata={"standardize": GENDER}, description="Male, Female or Other")
    location: str = pa.Field(metadata={"categorical": True}, description="Country the user names")
    income: float = pa.Field(description="Yearly income, US dollars")
    debt: bool = pa.Field(description="Has debts")
    owns_property: bool = pa.Field(description="Owns real estate")
    profession: str = pa.Field(description="Occupation as the user names it")
    demographics: str = pa.Field(description="Urban, Rural, or the source's free text")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it was seen")
    total_time_spent: float = pa.Field(ge=0, description="Minutes on the platform that day")
    number_of_sessions: float = pa.Field(ge=0, description="Sessions that day")
    video_id: str = pa.Field(description="Which video")
    video_category: str = pa.Field(metadata={"categorical": True}, description="Genre of the video")
    video_length: float = pa.Field(ge=0, description="Length, minutes")
    engagement: float = pa.Field(ge=0, description="Reactions that the video had")
    importance_score: float = pa.Field(ge=0, description="How much it matters to the user")
    time_spent_on_video: float = pa.Field(ge=0, description="Minutes spent on this video")
    number_of_videos_watched: float = pa.Field(ge=0, description="Videos watched that day")
    scroll_rate: float = pa.Field(ge=0, description="Scrolls per session")
    frequency: str = pa.Field(
        metadata={"categorical": True}, description="Part of the day the user is mostly online"
    )
    productivity_loss: float = pa.Field(ge=0, description="Self-rated loss of productivity")
    satisfaction: float = pa.Field(
        in_range={"min_value": 0, "max_value": 10}, description="Self-rated satisfaction, 0 to 10"
    )
    watch_reason: str = pa.Field(
        metadata={"categorical": True}, description="Habit, boredom, entertainment, procrastination"
    )
    device_type: str = pa.Field(
        metadata={"categorical": True}, description="Smartphone, tablet, computer"
    )
    os: str = pa.Field(metadata={"categorical": True}, description="Operating system of the device")
    watch_time: str = pa.Field(
        metadata={"standardize": TimeOfDay()}, nullable=True, description="Time of day, HH:MM:SS"
    )
    self_control: float = pa.Field(
        in_range={"min_value": 0, "max_value": 10}, description="Self-rated self-control, 0 to 10"
    )
    addiction_level: float = pa.Field(
        in_range={"min_value": 0, "max_value": 10}, description="Self-rated addiction, 0 to 10"
    )
    current_activity: str = pa.Field(
        metadata={"categorical": True}, description="What the user was doing meanwhile"
    )
    connection_type: str = pa.Field(
        metadata={"categorical": True}, description="Wi-Fi or mobile data"
    )
    age_group: str = pa.Field(metadata={"derive": AgeGroup("age")}, description="Band of the age")
    hour: int = pa.Field(
        metadata={"derive": HourOf("watch_time")}, nullable=True, description="Hour of watch_time"
    )


CONTRACT = Contract(
    name="video_interactions",
    model=VideoInteraction,
    key=("user_id", "video_id"),
    time_of_day="watch_time",
    critical=("age",),
    persons=("user_id",),
    formats=("csv", "ndjson", "parquet"),
    owner="team:engagement",
)
