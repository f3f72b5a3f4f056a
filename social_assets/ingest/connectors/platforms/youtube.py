"""YouTube, by the Data API version 3. Its quota is a project's and a day's: tokens do not help."""

from __future__ import annotations

from datetime import timedelta

from social_assets.ingest.connectors.connector import (
    ApiEndpoint,
    AskedFor,
    Connector,
    Ids,
    Listing,
    Overflow,
)
from social_assets.ingest.connectors.declaration.limits import CalendarDay, Limit, Scope
from social_assets.ingest.connectors.declaration.meanings import AnswerRule, Meaning, codes
from social_assets.ingest.connectors.declaration.oauth import RefreshToken
from social_assets.ingest.connectors.declaration.paging import NewestFirst, WhileToken

_REASON = "error.errors.0.reason"
_CHANNEL = {"part": "snippet,contentDetails,statistics"}

CONNECTOR = Connector(
    platform="YouTube",
    base_url="https://youtube.googleapis.com",
    oauth=RefreshToken("https://oauth2.googleapis.com/token", rotates=False),
    limits=(Limit(10_000, CalendarDay("America/Los_Angeles"), Scope.APP),),
    shares_credentials=False,
    rules=(
        AnswerRule(
            Meaning.QUOTA,
            at=_REASON,
            among=codes("quotaExceeded", "dailyLimitExceeded"),
            scope=Scope.APP,
        ),
        AnswerRule(
            Meaning.THROTTLED,
            at=_REASON,
            among=codes("rateLimitExceeded", "userRateLimitExceeded"),
            scope=Scope.APP,
        ),
        # A channel without videos has no playlist of uploads.
        AnswerRule(
            Meaning.NOTHING_HERE,
            at=_REASON,
            among=codes("commentsDisabled", "playlistNotFound", "commentNotFound"),
        ),
        AnswerRule(
            Meaning.ACCOUNT_GONE,
            at=_REASON,
            among=codes("channelNotFound", "channelClosed", "channelSuspended", "videoNotFound"),
        ),
        AnswerRule(Meaning.CURSOR_EXPIRED, at=_REASON, among=codes("invalidPageToken")),
        AnswerRule(Meaning.TOKEN_EXPIRED, at=_REASON, among=codes("authError")),
    ),
    id_like=r"UC[\w-]{22}",
    lookup=ApiEndpoint(
        "lookup",
        "/youtube/v3/channels",
        (),
        "items",
        query={"part": "id", "forHandle": "$handle"},
        may_be_absent=True,
    ),
    endpoints=(
        ApiEndpoint(
            "channels",
            "/youtube/v3/channels",
            ("profiles",),
            "items",
            query={**_CHANNEL, "id": "$account_id"},
            may_be_absent=True,
            is_gone_if_empty=True,
        ),
        # The cheap way: a page of the playlist of uploads, and the videos in it, cost 2 units.
        ApiEndpoint(
            "videos",
            "/youtube/v3/videos",
            ("posts_collected", "post_counters"),
            "items",
            query=_CHANNEL,
            paging=WhileToken("nextPageToken", "pageToken"),
            since=NewestFirst("snippet.publishedAt", timedelta(days=14)),
            ids=Ids(50, parameter="id"),
            listing=Listing(
                "/youtube/v3/playlistItems",
                {"part": "contentDetails", "playlistId": "$uploads", "maxResults": "50"},
                "items",
                "contentDetails.videoId",
            ),
        ),
        ApiEndpoint(
            "comments",
            "/youtube/v3/commentThreads",
            ("comments",),
            "items",
            rows=("", "replies.comments[]"),
            query={
                "part": "snippet,replies",
                "videoId": "$parent_id",
                "maxResults": "100",
                "order": "time",
            },
            paging=WhileToken("nextPageToken", "pageToken"),
            since=NewestFirst("snippet.topLevelComment.snippet.publishedAt", timedelta(days=14)),
            asked_for=AskedFor.POST,
            # A thread holds five of its replies at most.
            overflow=Overflow(
                ApiEndpoint(
                    "replies",
                    "/youtube/v3/comments",
                    ("comments",),
                    "items",
                    query={"part": "snippet", "parentId": "$parent_id", "maxResults": "100"},
                    may_be_absent=True,
                    paging=WhileToken("nextPageToken", "pageToken"),
                    asked_for=AskedFor.POST,
                ),
                held="replies.comments",
                total="snippet.totalReplyCount",
            ),
        ),
    ),
)
