"""What platforms answer becomes rows of the collected streams: the shapes of their documentation.

Each test gives an answer to the platform's connector over HTTP, and writes the rows out by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from social_assets.contracts.registry import contract
from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainStart
from social_assets.ingest.connectors.registry import connector_of
from social_assets.pipeline.pages.envelopes import envelopes
from social_assets.transform.duckdb_engine import DuckDBEngine, Session
from social_assets.transform.validate_block import BlockValidator
from tests.integration.ingest.connectors.collecting import NOW, Collecting
from tests.integration.ingest.connectors.replay_server import Replayed
from tests.integration.transform.raw_records import raw_table

Rows = list[dict[str, Any]]
Normalized = Callable[..., dict[str, Rows]]
SHARED = ("platform", "account_id", "endpoint", "collected_at")


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    spill: Path = tmp_path_factory.mktemp("spill")
    with DuckDBEngine(spill).session() as session:
        yield session


@pytest.fixture
def normalized(collecting: Collecting, server: Replayed, session: Session) -> Normalized:
    """The rows of each stream that a chain fills, by what is not empty in them."""

    def rows(platform: str, endpoint: str, *answers: object, **start: str) -> dict[str, Rows]:
        own = {"TikTok": "723f", "YouTube": "UCmade"}.get(platform, "1784")
        collecting.add(platform, own, client_id="app", client_secret="-")
        server.give(*answers)
        pages, _ = collecting.chain(platform, own, endpoint, **start)
        begin = ChainStart(Account(platform, own), endpoint, parent_id=start.get("parent_id"))
        records = [each for page in pages for each in envelopes(begin, page, NOW)]
        declared = connector_of(platform).endpoint(endpoint)
        return {name: _valid(session, name, records, own) for name in declared.streams}

    return rows


def _valid(session: Session, stream: str, records: Sequence[bytes], own: str) -> Rows:
    declared = contract(stream)
    raw = raw_table(records, None, "pages")
    for name in ("timestamp", "ingested_at"):
        place = raw.schema.get_field_index(name)
        raw = raw.set_column(place, raw.schema.field(place), [[NOW] * len(raw)])
    rows = BlockValidator(session, declared).of(raw).to_pylist()
    for row in rows:
        assert row["reasons"] == ""
        assert (row["account_id"], row["collected_at"]) == (own, NOW.replace(tzinfo=None))
    named = [name for name in declared.columns if name not in (*SHARED, *declared.key[:1])]
    if "post_id" in declared.key or "comment_id" in declared.columns:
        named = [name for name in declared.columns if name not in SHARED]
    return [{n: row[n] for n in named if row[n] not in (None, "")} for row in rows]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_an_instagram_profile(normalized: Normalized) -> None:
    answer = {
        "id": "1784",
        "username": "alder",
        "name": "Alder",
        "biography": "Roaster",
        "followers_count": 2210,
        "follows_count": 0,
        "profile_picture_url": "https://example.invalid/p.jpg",
    }
    assert normalized("Instagram", "user", answer)["profiles"] == [
        {
            "handle": "alder",
            "display_name": "Alder",
            "biography": "Roaster",
            "picture_url": "https://example.invalid/p.jpg",
            "followers": 2210,
            # It follows nobody; and how many posts it has is not told.
            "following": 0,
        }
    ]


def test_instagram_media_are_posts_and_counters(normalized: Normalized) -> None:
    reel = {
        "id": "17903",
        "caption": "Pour over",
        "media_type": "VIDEO",
        "media_product_type": "REELS",
        "like_count": 90,
        "comments_count": 4,
        "timestamp": "2026-11-20T12:00:00+0000",
        "media_url": "https://example.invalid/v",
        "thumbnail_url": "https://example.invalid/t",
    }
    # An account may hide its likes.
    picture = {"id": "17902", "comments_count": 0, "timestamp": "2026-11-18T14:00:00+0200"}
    found = normalized("Instagram", "media", {"data": [reel, picture]})
    posts = [
        {k: v for k, v in row.items() if k != "post_version"} for row in found["posts_collected"]
    ]
    assert posts == [
        {
            "post_id": "17903",
            "published_at": at("2026-11-20T12:00:00"),
            "content": "Pour over",
            "media_type": "REELS",
            "media_url": "https://example.invalid/t",
        },
        {"post_id": "17902", "published_at": at("2026-11-18T12:00:00")},
    ]
    assert found["post_counters"] == [
        {"post_id": "17903", "likes": 90, "comments": 4},
        {"post_id": "17902", "comments": 0},
    ]


def test_insights_of_a_post_are_one_row_by_the_names_of_the_metrics(
    normalized: Normalized,
) -> None:
    instagram = [("reach", 740), ("views", 1320), ("likes", 90), ("saved", 0), ("new_metric", 5)]
    found = normalized(
        "Instagram", "media_insights", {"data": _insights(instagram)}, parent_id="179"
    )
    assert found["post_counters"] == [
        {"post_id": "179", "likes": 90, "saves": 0, "views": 1320, "reach": 740}
    ]


def test_insights_of_a_facebook_post(normalized: Normalized) -> None:
    metrics = [
        ("post_media_view", 512),
        ("post_total_media_view_unique", 430),
        ("post_reactions_by_type_total", {"like": 35, "love": 6}),
    ]
    found = normalized("Facebook", "post_insights", {"data": _insights(metrics)}, parent_id="2_302")
    assert found["post_counters"] == [{"post_id": "2_302", "views": 512, "reach": 430}]


def _insights(metrics: Sequence[tuple[str, object]]) -> list[dict[str, object]]:
    return [{"name": name, "values": [{"value": value}]} for name, value in metrics]


def test_an_instagram_reply_stands_within_the_comment_that_it_answers(
    normalized: Normalized,
) -> None:
    reply = {"id": "702", "text": "Thank you", "timestamp": "2026-11-20T13:05:00+0000"}
    comment = {
        "id": "701",
        "text": "So good!",
        "timestamp": "2026-11-20T13:00:00+0000",
        "username": "guest",
        "like_count": 1,
        "from": {"id": "15001", "username": "guest"},
        "replies": {"data": [reply]},
    }
    found = normalized("Instagram", "comments", {"data": [comment]}, parent_id="179")
    assert found["comments"] == [
        {
            "comment_id": "701",
            "post_id": "179",
            "published_at": at("2026-11-20T13:00:00"),
            "author_id": "15001",
            "author_name": "guest",
            "content": "So good!",
            "likes": 1,
        },
        {
            "comment_id": "702",
            "post_id": "179",
            "published_at": at("2026-11-20T13:05:00"),
            "reply_to_id": "701",
            "content": "Thank you",
        },
    ]


def test_a_youtube_thread_is_its_comment_and_the_replies(normalized: Normalized) -> None:
    def comment(id_: str, text: str, **more: str) -> dict[str, object]:
        said = {"textOriginal": text, "publishedAt": "2026-11-20T10:00:00Z", "likeCount": 0}
        who = {"authorDisplayName": f"@{id_}", "authorChannelId": {"value": f"UC{id_}"}}
        return {"id": id_, "snippet": {"videoId": "v3", **said, **who, **more}}

    thread = {
        "id": "Ugx01",
        "snippet": {
            "videoId": "v3",
            "topLevelComment": comment("Ugx01", "Quiet"),
            "totalReplyCount": 1,
        },
        "replies": {"comments": [comment("Ugx01.r1", "Thanks", parentId="Ugx01")]},
    }
    found = normalized("YouTube", "comments", {"items": [thread]}, parent_id="v3")
    shared = {"post_id": "v3", "published_at": at("2026-11-20T10:00:00"), "likes": 0}
    assert found["comments"] == [
        {
            "comment_id": "Ugx01",
            "author_id": "UCUgx01",
            "author_name": "@Ugx01",
            "content": "Quiet",
            **shared,
        },
        {
            "comment_id": "Ugx01.r1",
            "reply_to_id": "Ugx01",
            "author_id": "UCUgx01.r1",
            "author_name": "@Ugx01.r1",
            "content": "Thanks",
            **shared,
        },
    ]


def test_figures_of_days_are_a_row_each(normalized: Normalized) -> None:
    days = [
        {"value": 120, "end_time": "2026-11-19T08:00:00+0000"},
        {"value": 98, "end_time": "2026-11-20T08:00:00+0000"},
    ]
    answer = {"data": [{"name": "reach", "period": "day", "values": days}]}
    assert normalized("Instagram", "user_insights", answer)["audience"] == [
        {"metric": "reach", "period": "day", "ends_at": at("2026-11-19T08:00:00"), "value": 120.0},
        {"metric": "reach", "period": "day", "ends_at": at("2026-11-20T08:00:00"), "value": 98.0},
    ]


def test_a_breakdown_of_followers_is_a_row_for_each_segment(normalized: Normalized) -> None:
    results = [
        {"dimension_values": ["18-24", "F"], "value": 210},
        {"dimension_values": ["18-24", "U"], "value": 0},
    ]
    breakdown = {"dimension_keys": ["age", "gender"], "results": results}
    answer = {
        "data": [
            {
                "name": "follower_demographics",
                "period": "lifetime",
                "total_value": {"breakdowns": [breakdown]},
            }
        ]
    }
    found = normalized("Instagram", "follower_demographics_age_gender", answer)["audience"]
    shared = {
        "metric": "follower_demographics",
        "period": "lifetime",
        "dimension": "age",
        "segment": "18-24",
        "second_dimension": "gender",
    }
    assert found == [
        {**shared, "second_segment": "F", "value": 210.0},
        {**shared, "second_segment": "U", "value": 0.0},
    ]


def test_an_x_post_has_its_counters_within(normalized: Normalized) -> None:
    counters = {"retweet_count": 5, "reply_count": 2, "like_count": 30, "impression_count": 1250}
    post = {
        "id": "1990000000000000303",
        "text": "New beans",
        "created_at": "2026-11-20T08:31:00.000Z",
        "lang": "en",
        "public_metrics": {**counters, "quote_count": 1, "bookmark_count": 0},
    }
    found = normalized("X", "posts", {"data": [post], "meta": {}})
    assert found["post_counters"] == [
        {
            "post_id": "1990000000000000303",
            "likes": 30,
            "comments": 2,
            "shares": 5,
            "saves": 0,
            "quotes": 1,
            "views": 1250,
        }
    ]


def test_a_tiktok_video_has_its_time_in_seconds(normalized: Normalized) -> None:
    video = {
        "id": "7300000000000000103",
        "create_time": 1795163400,
        "title": "Latte",
        "video_description": "Latte art",
        "view_count": 5400,
        "like_count": 0,
    }
    answer = {"data": {"videos": [video], "has_more": False}, "error": {"code": "ok"}}
    found = normalized("TikTok", "video_list", answer)
    (post,) = found["posts_collected"]
    assert (post["published_at"], post["title"], post["content"]) == (
        at("2026-11-20T08:30:00"),
        "Latte",
        "Latte art",
    )
    assert found["post_counters"] == [{"post_id": "7300000000000000103", "likes": 0, "views": 5400}]
