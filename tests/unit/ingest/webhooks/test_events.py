"""Events of deliveries: one record an event, with a key that a repetition has too."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from social_assets.ingest.webhooks.registry import webhook_of
from social_assets.ingest.webhooks.webhook import DeliveryUnreadableError

ARRIVED = datetime(2026, 11, 20, 10, 0, 0, tzinfo=UTC)
REACTION = {
    "item": "reaction",
    "verb": "add",
    "reaction_type": "love",
    "post_id": "201_302",
    "from": {"id": "903", "name": "Lee"},
    "created_time": 1_795_186_899,
}
FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom">
 <title>YouTube video feed</title>
 <entry>
  <id>yt:video:vid3</id><yt:videoId>vid3</yt:videoId><yt:channelId>UC1</yt:channelId>
  <title>Caf\u00e9 &amp; more</title><published>2026-11-20T09:00:00+00:00</published>
  <updated>2026-11-20T09:00:05.000000000+00:00</updated>
 </entry>
</feed>"""
DELETED = """<feed xmlns:at="http://purl.org/atompub/tombstones/1.0"
 xmlns="http://www.w3.org/2005/Atom">
 <at:deleted-entry ref="yt:video:vid4" when="2026-11-20T09:30:00+00:00">
  <at:by><uri>https://www.youtube.com/channel/UC1</uri></at:by>
 </at:deleted-entry></feed>"""


def events(platform: str, said: object, arrived: datetime = ARRIVED) -> list[dict[str, Any]]:
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    return [json.loads(each.value) for each in webhook_of(platform).events(body, arrived)]


def written(platform: str, said: object) -> list[tuple[str, dict[str, Any]]]:
    """The streams of events, and their records."""
    found = webhook_of(platform).events(json.dumps(said).encode(), ARRIVED)
    return [(each.stream, json.loads(each.value)) for each in found]


def page(*changes: object, time: int = 1_795_186_900) -> dict[str, object]:
    return {
        "object": "page",
        "entry": [
            {"id": "201", "time": time, "changes": [{"field": "feed", "value": each}]}
            for each in changes
        ],
    }


def test_a_reaction_is_a_notice() -> None:
    (found,) = events("facebook", page(REACTION))
    assert json.loads(found.pop("payload")) == {"field": "feed", "value": REACTION}
    assert len(found.pop("notice_id")) == 32
    assert found == {
        "platform": "Facebook",
        "account_id": "201",
        "kind": "feed.reaction.add",
        "happened_at": "2026-11-20T15:01:39.000Z",
        "received_at": "2026-11-20T10:00:00.000Z",
    }


def test_a_reaction_that_comes_again_has_the_same_key() -> None:
    first = events("facebook", page(REACTION))
    again = events("facebook", page(REACTION, time=1_795_190_000), ARRIVED + timedelta(hours=1))
    assert first[0]["notice_id"] == again[0]["notice_id"]
    assert first[0]["happened_at"] == again[0]["happened_at"]


@pytest.mark.parametrize(
    "changed",
    [
        {"from": {"id": "904", "name": "Lee"}},
        {"post_id": "201_303"},
        {"verb": "remove"},
        {"created_time": 1_795_186_900},
    ],
)
def test_another_reaction_has_another_key(changed: dict[str, object]) -> None:
    one, other = events("facebook", page(REACTION, {**REACTION, **changed}))
    assert one["notice_id"] != other["notice_id"]


def test_one_delivery_holds_several_entries_and_changes() -> None:
    said = {
        "object": "instagram",
        "entry": [
            {
                "id": "1",
                "time": 1_795_186_800,
                "changes": [
                    {"field": "mentions", "value": {"media_id": "17"}},
                    {"field": "mentions", "value": {"media_id": "18"}},
                ],
            },
            # By Business Login.
            {"id": "2", "time": 1_795_186_801, "field": "story_insights", "value": {"reach": 3}},
        ],
    }
    found = events("instagram", said)
    assert [(each["account_id"], each["kind"]) for each in found] == [
        ("1", "mentions"),
        ("1", "mentions"),
        ("2", "story_insights"),
    ]
    assert len({each["notice_id"] for each in found}) == 3


@pytest.mark.parametrize(
    "said",
    [
        {},
        [],
        None,
        7,
        {"entry": 7},
        {"entry": [None]},
        {"entry": [{"changes": [7]}]},
        {"entry": [{"changes": [{"field": 7, "value": []}]}]},
        {"entry": [{"id": {}, "time": "soon", "changes": [{"field": "x", "value": None}]}]},
        {"entry": [{"time": 10**30, "changes": [{"field": "x", "value": {}}]}]},
    ],
)
@pytest.mark.parametrize("platform", ["instagram", "facebook", "x", "tiktok"])
def test_what_has_an_unknown_form_is_kept(platform: str, said: object) -> None:
    (found,) = events(platform, said)
    assert found["happened_at"] == found["received_at"] == "2026-11-20T10:00:00.000Z"
    assert found["kind"] and found["notice_id"]


def test_an_empty_delivery_has_no_event() -> None:
    assert events("instagram", {"object": "instagram", "entry": []}) == []


def test_half_a_surrogate_pair_is_kept() -> None:
    (found,) = events("instagram", '{"entry":[{"field":"x","value":{"text":"\\ud83d"}}]}')
    assert "\\ud83d" in found["payload"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b'{"a":NaN}', b"[" * 200_000, b'{"a":' + b"9" * 5000 + b"}"],
    ids=["empty", "half", "bytes", "nan", "deep", "long number"],
)
@pytest.mark.parametrize("platform", ["instagram", "x", "tiktok", "youtube"])
def test_garbage_is_unreadable(platform: str, body: bytes) -> None:
    with pytest.raises(DeliveryUnreadableError):
        webhook_of(platform).events(body, ARRIVED)


def test_a_like_on_x_happened_at_its_own_time() -> None:
    payload = {"created_at": "2026-11-20T08:31:00.000Z", "timestamp_ms": "1795164765236"}
    data = {"event_uuid": "-34", "filter": {"user_id": "17"}, "event_type": "like.create"}
    (found,) = events("x", {"data": data | {"payload": payload}})
    assert (found["notice_id"], found["account_id"], found["kind"]) == ("-34", "17", "like.create")
    assert found["happened_at"] == "2026-11-20T08:52:45.000Z"


def test_a_follow_on_x_happened_when_it_arrived() -> None:
    payload = {"source": {"data": {"id": "9", "created_at": "2023-10-23T13:44:53.000Z"}}}
    data = {"event_uuid": "-7", "event_type": "follow.follow", "payload": payload}
    assert events("x", {"data": data})[0]["happened_at"] == "2026-11-20T10:00:00.000Z"


def test_a_publication_on_tiktok_is_a_notice() -> None:
    said = {"event": "video.publish.completed", "create_time": 1_795_186_800, "user_openid": "7-2"}
    (found,) = events("tiktok", said)
    assert (found["kind"], found["account_id"]) == ("video.publish.completed", "7-2")
    assert found["happened_at"] == "2026-11-20T15:00:00.000Z"


def test_a_new_video_is_a_notice() -> None:
    (found,) = events("youtube", FEED)
    assert (found["kind"], found["account_id"]) == ("video", "UC1")
    assert found["happened_at"] == "2026-11-20T09:00:05.000Z"
    assert "Caf\u00e9 &amp; more" in found["payload"]
    changed = FEED.replace("09:00:05", "09:10:00")
    assert events("youtube", changed)[0]["notice_id"] != found["notice_id"]


def test_a_deleted_video_is_a_notice() -> None:
    (found,) = events("youtube", DELETED)
    assert (found["kind"], found["account_id"]) == ("video.deleted", "UC1")
    assert found["happened_at"] == "2026-11-20T09:30:00.000Z"


def test_a_feed_with_a_document_type_is_unreadable() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "c">]><feed>&b;</feed>'
    with pytest.raises(DeliveryUnreadableError, match="document type"):
        events("youtube", bomb)


ENVELOPE = {
    "endpoint": "webhook",
    "collected_at": "2026-11-20T10:00:00.000Z",
    "fetched_at": "2026-11-20T10:00:00.000Z",
    "page": 1,
    "number": 1,
    "within": [],
}


def test_a_comment_on_instagram_is_a_comment() -> None:
    value = {
        "id": "178",
        "from": {"id": "15", "username": "guest"},
        "media": {"id": "179", "media_product_type": "REELS"},
        "parent_id": "177",
        "text": "Caf\u00e9",
    }
    said = {"id": "1784", "time": 1_795_186_800, "changes": [{"field": "comments", "value": value}]}
    assert written("instagram", {"entry": [said]}) == [
        (
            "comments",
            ENVELOPE
            | {
                "platform": "Instagram",
                "account_id": "1784",
                "parent_id": "179",
                "comment_id": "178",
                "published_at": "2026-11-20T15:00:00.000Z",
                "reply_to_id": "177",
                "record": value,
            },
        )
    ]


COMMENT = {
    "item": "comment",
    "verb": "add",
    "comment_id": "302_403",
    "post_id": "201_302",
    "parent_id": "201_302",
    "from": {"id": "902", "name": "Kim"},
    "message": "Where is this?",
    "created_time": 1_795_186_800,
}


@pytest.mark.parametrize(("parent", "reply"), [("201_302", None), ("302_401", "302_401")])
def test_a_comment_on_facebook_is_a_comment(parent: str, reply: str | None) -> None:
    value = {**COMMENT, "parent_id": parent}
    assert written("facebook", page(value)) == [
        (
            "comments",
            ENVELOPE
            | {
                "platform": "Facebook",
                "account_id": "201",
                "parent_id": "201_302",
                "comment_id": "302_403",
                "published_at": "2026-11-20T15:00:00.000Z",
                "reply_to_id": reply,
                "record": value,
            },
        )
    ]


@pytest.mark.parametrize(
    "changed", [{"verb": "edited"}, {"verb": "remove"}, {"comment_id": None}, {"post_id": ""}]
)
def test_a_change_of_a_comment_is_a_notice(changed: dict[str, object]) -> None:
    ((stream, _),) = written("facebook", page({**COMMENT, **changed}))
    assert stream == "webhook_notices"


POST = {
    "id": "1999",
    "author_id": "18",
    "conversation_id": "1990",
    "created_at": "2026-11-20T08:31:00.000Z",
    "text": "Nice",
}


def on_x(payload: object) -> dict[str, object]:
    told = {"event_uuid": "-3", "filter": {"user_id": "17"}, "event_type": "post.create"}
    return {"data": told | {"payload": payload}}


def test_a_reply_on_x_is_a_comment() -> None:
    assert written("x", on_x(POST)) == [
        (
            "comments",
            ENVELOPE
            | {
                "platform": "X",
                "account_id": "17",
                "parent_id": "1990",
                "comment_id": "1999",
                "published_at": "2026-11-20T08:31:00.000Z",
                "reply_to_id": None,
                "record": POST,
            },
        )
    ]


@pytest.mark.parametrize(
    "changed", [{"author_id": "17"}, {"conversation_id": "1999"}, {"conversation_id": None}]
)
def test_a_post_of_the_account_is_a_notice(changed: dict[str, object]) -> None:
    ((stream, record),) = written("x", on_x(POST | changed))
    assert (stream, record["kind"]) == ("webhook_notices", "post.create")
