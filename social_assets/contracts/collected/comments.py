"""Comments on collected posts, polled or pushed: one row for a comment.

Belongs here: what a comment has, and where each platform's record holds it.
"""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import AS_PEOPLE_WRITE, OWNER, PARENT_ID, UNEVEN
from social_assets.contracts.contract import Contract

_THREAD = "record.snippet.topLevelComment.snippet"


class CollectedComment(pa.DataFrameModel):
    """A comment on a post of a tracked account, or an answer to one."""

    platform: str = pa.Field(metadata={"categorical": True}, description="Where it was written")
    comment_id: str = pa.Field(description="The platform's id of the comment")
    post_id: str = pa.Field(description="The post that it is about")
    account_id: str = pa.Field(description="The account that published the post")
    published_at: datetime = pa.Field(description="When it was written, UTC")
    collected_at: datetime = pa.Field(nullable=True, description="When it was found first, UTC")
    reply_to_id: str = pa.Field(
        nullable=True,
        # X says of a direct answer that it answers the post.
        metadata={"missing_if_equal_to": "post_id"},
        description="The comment that it answers; missing if it answers the post",
    )
    author_id: str = pa.Field(nullable=True, description="The platform's id of its author")
    author_name: str = pa.Field(nullable=True, description="Its author, as shown")
    content: str = pa.Field(default="", description="Its text")
    likes: int = pa.Field(nullable=True, ge=0, description="Likes when it was found first")


CONTRACT = Contract(
    name="comments",
    model=CollectedComment,
    key=("platform", "comment_id"),
    critical=("post_id", "account_id"),
    event_time="published_at",
    persons=("author_id",),
    formats=("ndjson",),
    owner=OWNER,
    freshness=AS_PEOPLE_WRITE,
    drift=UNEVEN,
    sources={
        "Instagram": {
            "comment_id": "record.id",
            "post_id": PARENT_ID,
            "published_at": "record.timestamp",
            "reply_to_id": ("record.parent_id", "within.0.id"),
            "author_id": "record.from.id",
            "author_name": ("record.username", "record.from.username"),
            "content": "record.text",
            "likes": "record.like_count",
        },
        "Facebook": {
            "comment_id": "record.id",
            "post_id": PARENT_ID,
            "published_at": "record.created_time",
            "reply_to_id": "record.parent.id",
            "author_id": "record.from.id",
            "author_name": "record.from.name",
            "content": "record.message",
            "likes": "record.like_count",
        },
        "X": {
            "comment_id": "record.id",
            "post_id": ("record.conversation_id", PARENT_ID),
            "published_at": "record.created_at",
            "reply_to_id": "record.referenced_tweets.0.id",
            "author_id": "record.author_id",
            "content": "record.text",
            "likes": "record.public_metrics.like_count",
        },
        "YouTube": {
            "comment_id": "record.id",
            "post_id": (f"{_THREAD}.videoId", "record.snippet.videoId", PARENT_ID),
            "published_at": (f"{_THREAD}.publishedAt", "record.snippet.publishedAt"),
            "reply_to_id": "record.snippet.parentId",
            "author_id": (
                f"{_THREAD}.authorChannelId.value",
                "record.snippet.authorChannelId.value",
            ),
            "author_name": (f"{_THREAD}.authorDisplayName", "record.snippet.authorDisplayName"),
            "content": (f"{_THREAD}.textOriginal", "record.snippet.textOriginal"),
            "likes": (f"{_THREAD}.likeCount", "record.snippet.likeCount"),
        },
    },
)
