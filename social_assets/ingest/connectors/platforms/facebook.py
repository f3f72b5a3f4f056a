"""Facebook pages, by the Graph API, with the token of each page."""

from __future__ import annotations

from datetime import timedelta

from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Frequency,
    Whose,
)
from social_assets.ingest.connectors.declaration.limits import Limit, PercentHeaders, Rolling
from social_assets.ingest.connectors.declaration.oauth import TokenRenewal
from social_assets.ingest.connectors.declaration.paging import NewestFirst, WhileNext
from social_assets.ingest.connectors.platforms.meta_rules import META_RULES

CONNECTOR = Connector(
    platform="Facebook",
    base_url="https://graph.facebook.com",
    oauth=TokenRenewal(
        "https://graph.facebook.com/v23.0/oauth/access_token",
        "fb_exchange_token",
        "fb_exchange_token",
        with_client=True,
    ),
    rules=META_RULES,
    limits=(Limit(200, Rolling(3600)),),
    usage=PercentHeaders(),
    id_like=r"\d{5,}",
    lookup=ApiEndpoint("lookup", "/v23.0/$handle", (), records="", query={"fields": "id,username"}),
    endpoints=(
        ApiEndpoint(
            "page",
            "/v23.0/$account_id",
            ("profiles",),
            records="",
            query={
                "fields": "id,name,username,about,category,fan_count,followers_count,link,"
                "verification_status"
            },
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "posts",
            "/v23.0/$account_id/posts",
            ("posts_collected", "post_counters"),
            records="data",
            query={
                "fields": "id,message,created_time,permalink_url,status_type,full_picture,"
                "reactions.limit(0).summary(total_count),comments.limit(0).summary(true),shares",
                "limit": "50",
            },
            paging=WhileNext(),
            since=NewestFirst("created_time", timedelta(days=14)),
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "post_insights",
            "/v23.0/$parent_id/insights",
            ("post_counters",),
            records="",
            keyed_by="name",
            query={
                "metric": "post_media_view,post_total_media_view_unique,"
                "post_reactions_by_type_total"
            },
            metrics="metric",
            asked_for=AskedFor.POST,
            whose=Whose.OWN,
            frequency=Frequency.DAILY,
        ),
        # Comments come oldest first, so all pages of a post are read.
        ApiEndpoint(
            "comments",
            "/v23.0/$parent_id/comments",
            ("comments",),
            records="data",
            query={
                "fields": "id,from,message,created_time,like_count,comment_count,permalink_url,"
                "parent",
                "summary": "1",
                "filter": "stream",
                "limit": "100",
            },
            paging=WhileNext(),
            asked_for=AskedFor.POST,
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "page_insights",
            "/v23.0/$account_id/insights",
            ("audience",),
            records="data",
            rows=("values[]",),
            query={
                "metric": "page_media_view,page_post_engagements,page_follows",
                "period": "day",
                "since": "$day_before_yesterday",
                "until": "$today",
            },
            metrics="metric",
            whose=Whose.OWN,
            frequency=Frequency.DAILY,
        ),
    ),
)
