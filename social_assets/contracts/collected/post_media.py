"""Pictures of posts: one row for each thing that happened to a picture.

Belongs here: what is known of a picture. Which stream has pictures, and how long they are kept,
says the `media` of its contract. Rows come from the fetcher alone (`pipeline.media`).
"""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import AS_PEOPLE_WRITE, OWNER, UNEVEN
from social_assets.contracts.contract import Contract

STATES = ("fetched", "failed", "given_up", "refused", "deleted", "archived")
"""What can be said of a picture. Only a `failed` one is fetched again."""


class PostMedia(pa.DataFrameModel):
    """A picture of a post was fetched, could not be, or has reached the end of its time."""

    stream: str = pa.Field(metadata={"categorical": True}, description="The stream of the post")
    platform: str = pa.Field(metadata={"categorical": True}, description="Where the post appeared")
    post_id: str = pa.Field(description="The platform's id of the post")
    picture: str = pa.Field(
        description="The picture within the post: the path of its address, without host and query"
    )
    happened_at: datetime = pa.Field(description="When it happened, UTC")
    published_at: datetime = pa.Field(description="When the post was published, UTC")
    state: str = pa.Field(
        isin=STATES, metadata={"categorical": True}, description="What is true of it since then"
    )
    sha256: str = pa.Field(
        nullable=True, description="The hash of the file, which is its name in the store"
    )
    media_type: str = pa.Field(
        nullable=True, metadata={"categorical": True}, description="Its type, by its first bytes"
    )
    size_bytes: int = pa.Field(nullable=True, ge=0, description="Size of the file")
    reason: str = pa.Field(
        nullable=True, metadata={"categorical": True}, description="Why there is no file"
    )
    detail: str = pa.Field(nullable=True, description="The reason, in words")
    tries: int = pa.Field(ge=0, description="How often it was tried to fetch it")
    retry_at: datetime = pa.Field(
        nullable=True, description="Not before this time it is tried again, UTC"
    )


CONTRACT = Contract(
    name="post_media",
    model=PostMedia,
    key=("stream", "platform", "post_id", "picture", "happened_at"),
    critical=("state",),
    event_time="happened_at",
    formats=("ndjson",),
    owner=OWNER,
    freshness=AS_PEOPLE_WRITE,
    drift=UNEVEN,
)
