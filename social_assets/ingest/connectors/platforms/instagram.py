"""Instagram, by the Graph API, for professional accounts; others by business discovery."""

from __future__ import annotations

from datetime import timedelta

from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Frequency,
    Overflow,
    Whose,
)
from social_assets.ingest.connectors.declaration.limits import Limit, PercentHeaders, Rolling
from social_assets.ingest.connectors.declaration.oauth import TokenRenewal
from social_assets.ingest.connectors.declaration.paging import NewestFirst, UntilEmpty, WhileNext
from social_assets.ingest.connectors.platforms.meta_rules import META_RULES

_MEDIA = (
    "id,ig_id,caption,media_type,media_product_type,like_count,comments_count,is_comment_enabled,"
    "media_url,permalink,shortcode,thumbnail_url,timestamp,owner,username,children"
)
_DISCOVERED = "id,username,name,biography,followers_count,follows_count,media_count"
_DISCOVERED_MEDIA = "id,caption,comments_count,like_count,media_type,permalink,timestamp"

CONNECTOR = Connector(
    platform="Instagram",
    base_url="https://graph.facebook.com",
    oauth=TokenRenewal(
        "https://graph.instagram.com/refresh_access_token",
        "ig_refresh_token",
        "access_token",
        lasts=timedelta(days=60),
    ),
    rules=META_RULES,
    limits=(Limit(200, Rolling(3600)),),
    usage=PercentHeaders(),
    lookup=ApiEndpoint(
        "lookup",
        "/v23.0/$credential_account_id",
        (),
        records="business_discovery",
        query={"fields": "business_discovery.username($handle){id}"},
    ),
    id_like=r"\d{10,}",
    endpoints=(
        ApiEndpoint(
            "user",
            "/v23.0/$account_id",
            ("profiles",),
            records="",
            query={
                "fields": "id,ig_id,username,name,biography,followers_count,follows_count,"
                "media_count,profile_picture_url,website"
            },
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "media",
            "/v23.0/$account_id/media",
            ("posts_collected", "post_counters"),
            records="data",
            query={"fields": _MEDIA, "limit": "50"},
            paging=WhileNext(),
            since=NewestFirst("timestamp", timedelta(days=14)),
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "media_insights",
            "/v23.0/$parent_id/insights",
            ("post_counters",),
            records="",
            keyed_by="name",
            query={"metric": "reach,views,likes,comments,saved,shares,total_interactions"},
            metrics="metric",
            asked_for=AskedFor.POST,
            whose=Whose.OWN,
            frequency=Frequency.DAILY,
        ),
        ApiEndpoint(
            "comments",
            "/v23.0/$parent_id/comments",
            ("comments",),
            records="data",
            rows=("", "replies.data[]"),
            query={
                "fields": "id,text,timestamp,username,like_count,from,parent_id,replies",
                "limit": "50",
            },
            paging=WhileNext(),
            asked_for=AskedFor.POST,
            whose=Whose.OWN,
            overflow=Overflow(
                ApiEndpoint(
                    "replies",
                    "/v23.0/$parent_id/replies",
                    ("comments",),
                    records="data",
                    query={"fields": "id,text,timestamp,username,like_count,from", "limit": "50"},
                    paging=WhileNext(),
                    asked_for=AskedFor.POST,
                    whose=Whose.OWN,
                ),
                held="replies.data",
                more="replies.paging.next",
            ),
        ),
        ApiEndpoint(
            "user_insights",
            "/v23.0/$account_id/insights",
            ("audience",),
            records="data",
            rows=("values[]",),
            query={
                "metric": "reach,follower_count",
                "period": "day",
                "since": "$day_before_yesterday",
                "until": "$today",
            },
            metrics="metric",
            whose=Whose.OWN,
            frequency=Frequency.DAILY,
        ),
        *(
            ApiEndpoint(
                f"follower_demographics_{name}",
                "/v23.0/$account_id/insights",
                ("audience",),
                records="data",
                rows=("total_value.breakdowns[].results[]",),
                query={
                    "metric": "follower_demographics",
                    "period": "lifetime",
                    "metric_type": "total_value",
                    "breakdown": breakdown,
                },
                whose=Whose.OWN,
                frequency=Frequency.DAILY,
            )
            for name, breakdown in (
                ("age_gender", "age,gender"),
                ("city", "city"),
                ("country", "country"),
            )
        ),
        ApiEndpoint(
            "business_discovery",
            "/v23.0/$credential_account_id",
            ("profiles",),
            records="business_discovery",
            query={"fields": f"business_discovery.username($handle){{{_DISCOVERED}}}"},
            whose=Whose.OTHERS,
        ),
        ApiEndpoint(
            "business_discovery_media",
            "/v23.0/$credential_account_id",
            ("posts_collected", "post_counters"),
            records="business_discovery.media.data",
            query={
                "fields": "business_discovery.username($handle)"
                f"{{id,username,media$cursor{{{_DISCOVERED_MEDIA}}}}}"
            },
            may_be_absent=True,
            paging=UntilEmpty("business_discovery.media.paging.cursors.after", ".after($cursor)"),
            since=NewestFirst("timestamp", timedelta(days=14)),
            whose=Whose.OTHERS,
        ),
    ),
)
