"""Published posts, the items that people engage with: one row for a post and day."""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from social_assets.contracts.vocabulary import PLATFORM


class Post(pa.DataFrameModel):
    """One published post: text, tags, kind of media."""

    post_id: str = pa.Field(description="The post")
    account_id: str = pa.Field(description="The account that published it")
    platform: str = pa.Field(metadata={"standardize": PLATFORM}, description="Where it appeared")
    content: str = pa.Field(default="", description="Text of the post")
    tags: list[str] = pa.Field(nullable=True, description="Tags, in the author's order")
    media_type: str = pa.Field(metadata={"categorical": True}, description="Text, image, video")
    published_at: datetime = pa.Field(nullable=True, description="When it was published, UTC")


CONTRACT = Contract(
    name="posts",
    model=Post,
    key=("post_id",),
    critical=("account_id",),
    formats=("ndjson",),
    owner="team:content",
)
