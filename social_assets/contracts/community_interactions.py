"""How members take part in communities: one row for a community, user and day."""

import pandera.ibis as pa

from social_assets.contracts.column import AgeGroup
from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import GENDER, PLATFORM


class CommunityInteraction(pa.DataFrameModel):
    """One member's day in one community."""

    community_id: str = pa.Field(description="The community")
    community_name: str = pa.Field(
        metadata={"categorical": True}, description="Name of the community"
    )
    user_id: str = pa.Field(description="The member")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it lives")
    age: int = pa.Field(
        in_range={"min_value": 13, "max_value": 100}, description="Age of the member in years"
    )
    gender: str = pa.Field(metadata={"standardize": GENDER}, description="Male, Female or Other")
    community_engagement: float = pa.Field(ge=0, description="Posts, comments and reactions")
    membership_status: str = pa.Field(
        metadata={"categorical": True}, description="Member, moderator"
    )
    total_time_spent: float = pa.Field(ge=0, description="Minutes in the community")
    age_group: str = pa.Field(metadata={"derive": AgeGroup("age")}, description="Band of the age")


CONTRACT = Contract(
    name="community_interactions",
    model=CommunityInteraction,
    key=("community_id", "user_id"),
    critical=("age",),
    persons=("user_id",),
    formats=("parquet",),
    owner="team:engagement",
)
