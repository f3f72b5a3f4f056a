"""Recorded shapes of deliveries, with really computed signatures: verified and cut as they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from social_assets.control.collection.webhook_secrets import WebhookSecrets
from social_assets.ingest.webhooks.registry import webhook_of

SHAPES = Path(__file__).resolve().parents[5] / "shared" / "data" / "platforms"
ARRIVED = datetime(2026, 11, 20, 15, 0, 2, tzinfo=UTC)
SECRETS = ("secret", "consumer_secret", "client_secret")

pytestmark = pytest.mark.skipif(not SHAPES.is_dir(), reason=f"no recorded shapes at {SHAPES}")


def shape(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SHAPES / f"{name}.json").read_text())
    return found


def cut(platform: str, name: str) -> tuple[str, dict[str, Any]]:
    """The stream and the record of the one event in a delivery whose signature is right."""
    found = shape(name)
    secret = next(found[key] for key in SECRETS if key in found).encode()
    body = found["request"]["raw_body"].encode()
    headers = [(k.encode(), v.encode()) for k, v in found["request"]["headers"].items()]
    webhook = webhook_of(platform)
    webhook.check(headers, body, secret, 1_795_186_802.0)
    (event,) = webhook.events(body, ARRIVED)
    return event.stream, json.loads(event.value)


@pytest.mark.parametrize(
    ("platform", "name", "account", "kind", "happened"),
    [
        (
            "facebook",
            "facebook_webhook_feed_reaction",
            "100000000000201",
            "feed.reaction.add",
            "15:01:39",
        ),
        ("x", "x_webhook_activity_follow", "1700000000000000001", "follow.follow", "15:00:02"),
        ("x", "x_webhook_activity_like_create", "1700000000000000001", "like.create", "08:52:45"),
        ("x", "x_webhook_activity_post_create", "1700000000000000001", "post.create", "08:31:00"),
        (
            "tiktok",
            "tiktok_webhook_authorization_removed",
            "723f24d7-0000-4000-8000-000000000001",
            "authorization.removed",
            "15:00:00",
        ),
    ],
)
def test_a_recorded_delivery_is_verified_and_cut(
    platform: str, name: str, account: str, kind: str, happened: str
) -> None:
    stream, record = cut(platform, name)
    assert (stream, record["account_id"], record["kind"]) == ("webhook_notices", account, kind)
    assert record["happened_at"] == f"2026-11-20T{happened}.000Z"


@pytest.mark.parametrize(
    ("platform", "name", "comment", "post", "text"),
    [
        (
            "facebook",
            "facebook_webhook_feed_comment",
            "302_403",
            "100000000000201_302",
            "Where is this?",
        ),
        (
            "instagram",
            "instagram_webhook_comments",
            "17800000000000705",
            "17900000000000503",
            "Café ❤",
        ),
    ],
)
def test_a_recorded_comment_goes_to_the_stream_of_comments(
    platform: str, name: str, comment: str, post: str, text: str
) -> None:
    stream, record = cut(platform, name)
    assert (stream, record["comment_id"], record["parent_id"]) == ("comments", comment, post)
    assert text in record["record"].values()
    assert record["published_at"] == "2026-11-20T15:00:00.000Z"


def test_the_recorded_feed_of_youtube_is_cut() -> None:
    body = (SHAPES / "youtube_webhook_upload.xml").read_bytes()
    (event,) = webhook_of("youtube").events(body, ARRIVED)
    record = json.loads(event.value)
    assert (record["account_id"], record["kind"]) == ("UCmadeup0000000000000001", "video")
    assert record["happened_at"] == "2026-11-20T09:00:05.000Z"
    assert "vidmadeup03" in record["payload"]


@pytest.mark.parametrize(
    ("platform", "name"), [("instagram", "meta_webhook_verification"), ("x", "x_webhook_crc")]
)
def test_a_recorded_verification_is_answered(platform: str, name: str) -> None:
    found = shape(name)
    secrets = WebhookSecrets(
        found.get("consumer_secret", "none").encode(), found.get("verify_token")
    )
    answer = webhook_of(platform).answer
    assert answer is not None
    body = answer(found["request"]["query"], secrets).body
    expected = found["answer"]
    assert (json.loads(body) if "json" in expected else body.decode()) == expected.get(
        "json", expected.get("body")
    )
