"""Answers have the keys, types and nesting that the platforms document."""

from __future__ import annotations

from typing import Any

from tests.unit.demo.platforms.calling import Caller

MEDIA_FIELDS = (
    "id,ig_id,caption,media_type,media_product_type,like_count,comments_count,is_comment_enabled,"
    "media_url,permalink,shortcode,thumbnail_url,timestamp,owner,username,children"
)


def shape(value: Any) -> Any:
    """Replace every value by its type; a list by the shape of its first element."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_an_instagram_user_has_a_number_as_ig_id(caller: Caller) -> None:
    fields = "id,ig_id,username,name,biography,followers_count,follows_count,media_count"
    body = caller.good("instagram", f"v23.0/{caller.account('instagram')}", fields=fields)
    assert shape(body) == {
        "id": "str",
        "ig_id": "int",
        "username": "str",
        "name": "str",
        "biography": "str",
        "followers_count": "int",
        "follows_count": "int",
        "media_count": "int",
    }


def test_instagram_media_come_with_cursors_and_a_link_to_the_next_page(caller: Caller) -> None:
    path = f"v23.0/{caller.account('instagram')}/media"
    body = caller.good("instagram", path, fields=MEDIA_FIELDS, limit=2)
    assert shape(body["paging"]) == {"cursors": {"before": "str", "after": "str"}, "next": "str"}
    assert body["paging"]["next"].startswith(f"{caller.url}/instagram/{path}?")
    everything = caller.good("instagram", path, fields=MEDIA_FIELDS, limit=100)["data"]
    reel = next(each for each in everything if each["media_product_type"] == "REELS")
    assert shape(reel) == {
        "id": "str",
        "ig_id": "str",
        "caption": "str",
        "media_type": "str",
        "media_product_type": "str",
        "like_count": "int",
        "comments_count": "int",
        "is_comment_enabled": "bool",
        "media_url": "str",
        "permalink": "str",
        "shortcode": "str",
        "thumbnail_url": "str",
        "timestamp": "str",
        "owner": {"id": "str"},
        "username": "str",
    }
    assert reel["timestamp"].endswith("+0000")
    album = next(each for each in everything if each["media_type"] == "CAROUSEL_ALBUM")
    assert shape(album["children"]) == {"data": [{"id": "str"}]}


def test_instagram_insights_of_media_and_accounts(caller: Caller) -> None:
    account = caller.account("instagram")
    media = caller.good("instagram", f"{account}/media")["data"][0]["id"]
    body = caller.good("instagram", f"{media}/insights", metric="reach,views")
    assert shape(body) == {
        "data": [
            {
                "name": "str",
                "period": "str",
                "values": [{"value": "int"}],
                "title": "str",
                "description": "str",
                "id": "str",
            }
        ]
    }
    body = caller.good(
        "instagram",
        f"{account}/insights",
        metric="reach,follower_count",
        period="day",
        since="2026-11-17",
        until="2026-11-19",
    )
    assert shape(body["data"][0]["values"]) == [{"value": "int", "end_time": "str"}]
    ends = [each["end_time"] for each in body["data"][0]["values"]]
    assert ends == ["2026-11-18T08:00:00+0000", "2026-11-19T08:00:00+0000"]
    assert shape(body["paging"]) == {"previous": "str", "next": "str"}
    body = caller.good(
        "instagram",
        f"{account}/insights",
        metric="follower_demographics",
        metric_type="total_value",
        period="lifetime",
        breakdown="age,gender",
    )
    assert shape(body["data"][0]["total_value"]) == {
        "breakdowns": [
            {
                "dimension_keys": ["str"],
                "results": [{"dimension_values": ["str"], "value": "int"}],
            }
        ]
    }


def test_a_facebook_post_has_summaries_of_comments_and_reactions(caller: Caller) -> None:
    fields = (
        "id,message,created_time,permalink_url,status_type,"
        "reactions.limit(0).summary(total_count),comments.limit(0).summary(true)"
    )
    page = caller.account("facebook")
    body = caller.good("facebook", f"v23.0/{page}/posts", fields=fields, limit=1)
    assert shape(body["data"][0]) == {
        "id": "str",
        "message": "str",
        "created_time": "str",
        "permalink_url": "str",
        "status_type": "str",
        "reactions": {"data": [], "summary": {"total_count": "int"}},
        "comments": {
            "data": [],
            "summary": {"order": "str", "total_count": "int", "can_comment": "bool"},
        },
    }
    pages = caller.good(
        "facebook", "v23.0/me/accounts", token=caller.tokens("facebook")["app_tokens"][0]
    )
    assert shape(pages["data"][0]) == {
        "access_token": "str",
        "category": "str",
        "name": "str",
        "id": "str",
        "tasks": ["str"],
    }


def test_x_answers_in_the_spelling_that_the_request_uses(caller: Caller) -> None:
    path = f"2/users/{caller.account('x')}/tweets"
    old = caller.good("x", path, **{"tweet.fields": "author_id,created_at,public_metrics"})
    assert shape(old["data"][0]) == {
        "id": "str",
        "text": "str",
        "edit_history_tweet_ids": ["str"],
        "author_id": "str",
        "created_at": "str",
        "public_metrics": {
            "retweet_count": "int",
            "reply_count": "int",
            "like_count": "int",
            "quote_count": "int",
            "bookmark_count": "int",
            "impression_count": "int",
        },
    }
    new = caller.good("x", path, **{"post.fields": "public_metrics"})["data"][0]
    assert set(new) == {"id", "text", "edit_history_post_ids", "public_metrics"}
    assert "repost_count" in new["public_metrics"]


def test_tiktok_puts_an_error_with_code_ok_into_every_good_answer(caller: Caller) -> None:
    body = caller.good("tiktok", "v2/user/info/", fields="open_id,follower_count,is_verified")
    assert shape(body) == {
        "data": {"user": {"open_id": "str", "follower_count": "int", "is_verified": "bool"}},
        "error": {"code": "str", "message": "str", "log_id": "str"},
    }
    assert body["error"]["code"] == "ok"


def test_youtube_counts_are_strings_and_those_of_a_comment_numbers(caller: Caller) -> None:
    channel = caller.account("youtube")
    body = caller.good("youtube", "youtube/v3/channels", part="statistics", id=channel)
    assert shape(body["items"][0]["statistics"]) == {
        "viewCount": "str",
        "subscriberCount": "str",
        "hiddenSubscriberCount": "bool",
        "videoCount": "str",
    }
    truth = caller.truth("youtube", channel)
    commented = next(c["post_id"] for c in truth["comments"] if not c["deleted_at"])
    body = caller.good("youtube", "v3/commentThreads", part="snippet,replies", videoId=commented)
    snippet = body["items"][0]["snippet"]
    assert shape(snippet)["totalReplyCount"] == "int"
    assert shape(snippet["topLevelComment"]["snippet"])["likeCount"] == "int"


def test_a_field_or_part_that_is_not_asked_for_is_not_given(caller: Caller) -> None:
    account = caller.account("instagram")
    assert set(caller.good("instagram", account, fields="username")) == {"id", "username"}
    user = caller.good("x", f"2/users/{caller.account('x')}")["data"]
    assert set(user) == {"id", "name", "username"}
    channel = caller.account("youtube")
    item = caller.good("youtube", "v3/channels", part="snippet", id=channel)["items"][0]
    assert set(item) == {"kind", "etag", "id", "snippet"}
