"""Counters of collected posts, as the platforms show them: one row for a post and collection.

Belongs here: what is counted, and where each platform's record holds it. Increments between two
collections are made of it in the star schema.
"""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import OF_EVERY_DAY, OWNER, PARENT_ID
from social_assets.contracts.contract import Contract


class PostCounters(pa.DataFrameModel):
    """What a platform counts of a post until a collection. What it does not show is missing."""

    platform: str = pa.Field(metadata={"categorical": True}, description="Where it appeared")
    account_id: str = pa.Field(description="The account that published it")
    post_id: str = pa.Field(description="The platform's id of the post")
    endpoint: str = pa.Field(
        metadata={"categorical": True}, description="The endpoint that told these counters"
    )
    collected_at: datetime = pa.Field(description="The collection that it belongs to, UTC")
    likes: int = pa.Field(nullable=True, ge=0, description="Likes or reactions so far")
    comments: int = pa.Field(nullable=True, ge=0, description="Comments or replies so far")
    shares: int = pa.Field(nullable=True, ge=0, description="Shares or reposts so far")
    saves: int = pa.Field(nullable=True, ge=0, description="Saves or bookmarks so far")
    quotes: int = pa.Field(nullable=True, ge=0, description="Posts that quote it so far")
    views: int = pa.Field(nullable=True, ge=0, description="Views or impressions so far")
    reach: int = pa.Field(nullable=True, ge=0, description="Accounts that saw it so far")


CONTRACT = Contract(
    name="post_counters",
    model=PostCounters,
    key=("platform", "post_id", "endpoint", "collected_at"),
    critical=("account_id",),
    event_time="collected_at",
    formats=("ndjson",),
    owner=OWNER,
    freshness=OF_EVERY_DAY,
    sources={
        "Instagram": {
            "post_id": ("record.id", PARENT_ID),
            "likes": ("record.like_count", "record.likes.values.0.value"),
            "comments": ("record.comments_count", "record.comments.values.0.value"),
            "shares": "record.shares.values.0.value",
            "saves": "record.saved.values.0.value",
            "views": "record.views.values.0.value",
            "reach": "record.reach.values.0.value",
        },
        "Facebook": {
            "post_id": ("record.id", PARENT_ID),
            "likes": "record.reactions.summary.total_count",
            "comments": "record.comments.summary.total_count",
            "shares": "record.shares.count",
            "views": "record.post_media_view.values.0.value",
            "reach": "record.post_total_media_view_unique.values.0.value",
        },
        "X": {
            "post_id": "record.id",
            "likes": "record.public_metrics.like_count",
            "comments": "record.public_metrics.reply_count",
            "shares": "record.public_metrics.retweet_count",
            "saves": "record.public_metrics.bookmark_count",
            "quotes": "record.public_metrics.quote_count",
            "views": "record.public_metrics.impression_count",
        },
        "TikTok": {
            "post_id": "record.id",
            "likes": "record.like_count",
            "comments": "record.comment_count",
            "shares": "record.share_count",
            "views": "record.view_count",
        },
        "YouTube": {
            "post_id": "record.id",
            "likes": "record.statistics.likeCount",
            "comments": "record.statistics.commentCount",
            "views": "record.statistics.viewCount",
        },
    },
)
