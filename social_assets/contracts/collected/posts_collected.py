"""Posts of tracked accounts, as the platforms show them: one row for each text of a post.

Belongs here: what a post has, and where each platform's record holds it. Its counters, which change
all the time, are the stream `post_counters`.
"""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import AS_PEOPLE_WRITE, OWNER, UNEVEN
from social_assets.contracts.contract import Contract, HashOf, Media


class CollectedPost(pa.DataFrameModel):
    """A post of a tracked account. A post whose text is edited has a row for each text."""

    post_version: str = pa.Field(
        metadata={"derive": HashOf(("platform", "post_id", "title", "content"))},
        description="The post with this text",
    )
    platform: str = pa.Field(metadata={"categorical": True}, description="Where it appeared")
    post_id: str = pa.Field(description="The platform's id of the post")
    account_id: str = pa.Field(description="The account that published it")
    published_at: datetime = pa.Field(description="When it was published, UTC")
    collected_at: datetime = pa.Field(description="The collection that found this text first, UTC")
    title: str = pa.Field(default="", description="Its title, on platforms that have one")
    content: str = pa.Field(default="", description="Its text")
    media_type: str = pa.Field(
        nullable=True,
        metadata={"categorical": True},
        description="The platform's word for its kind",
    )
    language: str = pa.Field(
        nullable=True,
        metadata={"categorical": True},
        description="The language that the platform or the author names",
    )
    link: str = pa.Field(nullable=True, description="Its address")
    media_url: str = pa.Field(
        nullable=True, description="Its picture, or the thumbnail of its video"
    )
    tags: list[str] = pa.Field(nullable=True, description="Tags, in the author's order")


CONTRACT = Contract(
    name="posts_collected",
    model=CollectedPost,
    key=("post_version",),
    critical=("post_id", "account_id"),
    event_time="published_at",
    formats=("ndjson",),
    owner=OWNER,
    freshness=AS_PEOPLE_WRITE,
    drift=UNEVEN,
    media=Media("media_url", keep_days=365),
    sources={
        "Instagram": {
            "post_id": "record.id",
            "published_at": "record.timestamp",
            "content": "record.caption",
            "media_type": ("record.media_product_type", "record.media_type"),
            "link": "record.permalink",
            "media_url": ("record.thumbnail_url", "record.media_url"),
        },
        "Facebook": {
            "post_id": "record.id",
            "published_at": "record.created_time",
            "content": "record.message",
            "media_type": "record.status_type",
            "link": "record.permalink_url",
            "media_url": "record.full_picture",
        },
        "X": {
            "post_id": "record.id",
            "published_at": "record.created_at",
            "content": "record.text",
            "media_type": "record.referenced_tweets.0.type",
            "language": "record.lang",
        },
        "TikTok": {
            "post_id": "record.id",
            "published_at": "record.create_time",
            "title": "record.title",
            "content": "record.video_description",
            "link": "record.share_url",
            "media_url": "record.cover_image_url",
        },
        "YouTube": {
            "post_id": "record.id",
            "published_at": "record.snippet.publishedAt",
            "title": "record.snippet.title",
            "content": "record.snippet.description",
            "language": ("record.snippet.defaultLanguage", "record.snippet.defaultAudioLanguage"),
            "media_url": "record.snippet.thumbnails.high.url",
            "tags": "record.snippet.tags",
        },
    },
)
