"""TikTok, by the Display API: accounts that have authorized the app, and no others."""

from __future__ import annotations

from datetime import timedelta

from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Frequency,
    Ids,
    Whose,
)
from social_assets.ingest.connectors.declaration.limits import Limit, Rolling, Scope
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning, codes
from social_assets.ingest.connectors.declaration.oauth import RefreshToken
from social_assets.ingest.connectors.declaration.paging import NewestFirst, WhileMore

_VIDEO = (
    "id,create_time,title,video_description,duration,height,width,cover_image_url,share_url,"
    "embed_link,view_count,like_count,comment_count,share_count"
)

CONNECTOR = Connector(
    platform="TikTok",
    base_url="https://open.tiktokapis.com",
    oauth=RefreshToken(
        "https://open.tiktokapis.com/v2/oauth/token/", rotates=True, client_id="client_key"
    ),
    # No header tells what is left. Whether tokens of one app share the limit is not documented.
    limits=(Limit(600, Rolling(60), Scope.APP, by_endpoint=True),),
    rules=(
        AnswerRule(
            Meaning.THROTTLED, at="error.code", among=codes("rate_limit_exceeded"), scope=Scope.APP
        ),
        AnswerRule(Meaning.THROTTLED, status=frozenset({429}), scope=Scope.APP),
        AnswerRule(Meaning.TOKEN_EXPIRED, at="error.code", among=codes("access_token_invalid")),
        AnswerRule(
            Meaning.ACCOUNT_PRIVATE,
            at="error.code",
            among=codes("scope_not_authorized", "scope_permission_missed"),
        ),
        AnswerRule(
            Meaning.CURSOR_EXPIRED,
            at="error.message",
            like="(?i)cursor",
        ),
        AnswerRule(Meaning.TRANSIENT, at="error.code", among=codes("internal_error")),
        # A good answer has an error too, with the code `ok`; one with another code is not good.
        AnswerRule(Meaning.REFUSED, status=frozenset({200}), at="error.code", like="^(?!ok$)"),
    ),
    endpoints=(
        ApiEndpoint(
            "user_info",
            "/v2/user/info/",
            ("profiles",),
            "data.user",
            query={
                "fields": "open_id,union_id,avatar_url,display_name,bio_description,"
                "profile_deep_link,is_verified,username,follower_count,following_count,"
                "likes_count,video_count"
            },
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "video_list",
            "/v2/video/list/",
            ("posts_collected", "post_counters"),
            "data.videos",
            method="POST",
            query={"fields": _VIDEO},
            json={"max_count": 20},
            paging=WhileMore("data.has_more", "data.cursor"),
            since=NewestFirst("create_time", timedelta(days=14)),
            whose=Whose.OWN,
        ),
        ApiEndpoint(
            "video_query",
            "/v2/video/query/",
            ("post_counters",),
            "data.videos",
            method="POST",
            query={"fields": "id,view_count,like_count,comment_count,share_count"},
            json={"filters": {}},
            asked_for=AskedFor.POSTS,
            ids=Ids(20, json_path="filters.video_ids"),
            whose=Whose.OWN,
            frequency=Frequency.DAILY,
        ),
    ),
)
