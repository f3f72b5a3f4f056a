"""Profiles of tracked accounts, as the platforms show them: one row for an account and collection.

Belongs here: what a profile has, and where each platform's record holds it.
"""

from datetime import datetime

import pandera.ibis as pa

from social_assets.contracts.collected.envelope import OF_EVERY_DAY, OWNER
from social_assets.contracts.contract import Contract


class CollectedProfile(pa.DataFrameModel):
    """A profile at a time of collection. What a platform does not show is missing, not 0."""

    platform: str = pa.Field(metadata={"categorical": True}, description="Where the account is")
    account_id: str = pa.Field(description="The platform's id of the account")
    collected_at: datetime = pa.Field(description="The collection that it belongs to, UTC")
    handle: str = pa.Field(nullable=True, description="The name in addresses and mentions")
    display_name: str = pa.Field(nullable=True, description="The name that is shown")
    biography: str = pa.Field(nullable=True, description="What the account says of itself")
    category: str = pa.Field(nullable=True, description="The platform's category of the account")
    website: str = pa.Field(nullable=True, description="The link in the profile")
    picture_url: str = pa.Field(nullable=True, description="The picture of the profile")
    country: str = pa.Field(nullable=True, description="The country that the profile names")
    is_verified: bool = pa.Field(nullable=True, description="Whether the platform verified it")
    created_at: datetime = pa.Field(nullable=True, description="When the account began, UTC")
    followers: int = pa.Field(nullable=True, ge=0, description="Followers or subscribers")
    following: int = pa.Field(nullable=True, ge=0, description="Accounts that it follows")
    posts: int = pa.Field(nullable=True, ge=0, description="Posts or videos")
    likes: int = pa.Field(nullable=True, ge=0, description="Likes of all its posts")
    views: int = pa.Field(nullable=True, ge=0, description="Views of all its videos")


CONTRACT = Contract(
    name="profiles",
    model=CollectedProfile,
    key=("platform", "account_id", "collected_at"),
    event_time="collected_at",
    formats=("ndjson",),
    owner=OWNER,
    freshness=OF_EVERY_DAY,
    sources={
        "Instagram": {
            "handle": "record.username",
            "display_name": "record.name",
            "biography": "record.biography",
            "website": "record.website",
            "picture_url": "record.profile_picture_url",
            "followers": "record.followers_count",
            "following": "record.follows_count",
            "posts": "record.media_count",
        },
        "Facebook": {
            "handle": "record.username",
            "display_name": "record.name",
            "biography": "record.about",
            "category": "record.category",
            "website": "record.website",
            "followers": ("record.followers_count", "record.fan_count"),
        },
        "X": {
            "handle": "record.username",
            "display_name": "record.name",
            "biography": "record.description",
            "website": "record.url",
            "picture_url": "record.profile_image_url",
            "is_verified": "record.verified",
            "created_at": "record.created_at",
            "followers": "record.public_metrics.followers_count",
            "following": "record.public_metrics.following_count",
            "posts": "record.public_metrics.tweet_count",
        },
        "TikTok": {
            "handle": "record.username",
            "display_name": "record.display_name",
            "biography": "record.bio_description",
            "picture_url": "record.avatar_url",
            "is_verified": "record.is_verified",
            "followers": "record.follower_count",
            "following": "record.following_count",
            "posts": "record.video_count",
            "likes": "record.likes_count",
        },
        "YouTube": {
            "handle": "record.snippet.customUrl",
            "display_name": "record.snippet.title",
            "biography": "record.snippet.description",
            "country": "record.snippet.country",
            "picture_url": "record.snippet.thumbnails.high.url",
            "created_at": "record.snippet.publishedAt",
            "followers": "record.statistics.subscriberCount",
            "posts": "record.statistics.videoCount",
            "views": "record.statistics.viewCount",
        },
    },
)
