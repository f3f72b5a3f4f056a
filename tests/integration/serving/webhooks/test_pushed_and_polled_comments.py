"""A comment that is pushed and collected as well is one cleaned row, whichever came first."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainStart, RecordPage
from social_assets.ingest.webhooks.registry import webhook_of
from social_assets.pipeline.pages.envelopes import envelopes
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.pipeline.accounts import Counts, counts

ARRIVED = datetime(2026, 11, 20, 15, 0, 2, tzinfo=UTC)
SECONDS = 1_795_186_800
"""15:00:00 on the same day."""


@dataclass(frozen=True)
class TwoCopies:
    """One comment: the delivery that tells it, and the record of the API."""

    platform: str
    account: str
    post: str
    delivery: dict[str, Any]
    record: dict[str, Any]
    row: dict[str, Any]

    def pushed(self) -> bytes:
        webhook = webhook_of(self.platform)
        (event,) = webhook.events(json.dumps(self.delivery).encode(), ARRIVED)
        assert event.stream == "comments"
        return event.value

    def polled(self) -> bytes:
        start = ChainStart(Account(self.platform, self.account), "comments", parent_id=self.post)
        page = RecordPage(1, (json.dumps(self.record).encode(),), None, ARRIVED)
        return envelopes(start, page, ARRIVED)[0]


def entry(account: str, field: str, value: dict[str, Any]) -> dict[str, Any]:
    changes = [{"field": field, "value": value}]
    return {"entry": [{"id": account, "time": SECONDS, "changes": changes}]}


INSTAGRAM = TwoCopies(
    "Instagram",
    "1784",
    "179",
    entry(
        "1784",
        "comments",
        {
            "id": "178",
            "from": {"id": "15", "username": "guest"},
            "media": {"id": "179", "media_product_type": "REELS"},
            "parent_id": "177",
            "text": "Caf\u00e9 \u2764",
        },
    ),
    {
        "id": "178",
        "text": "Caf\u00e9 \u2764",
        "timestamp": "2026-11-20T15:00:00+0000",
        "username": "guest",
        "from": {"id": "15", "username": "guest"},
        "parent_id": "177",
    },
    {
        "reply_to_id": "177",
        "author_id": "15",
        "author_name": "guest",
        "content": "Caf\u00e9 \u2764",
    },
)
FACEBOOK = TwoCopies(
    "Facebook",
    "201",
    "201_302",
    entry(
        "201",
        "feed",
        {
            "item": "comment",
            "verb": "add",
            "comment_id": "302_403",
            "post_id": "201_302",
            "parent_id": "201_302",
            "from": {"id": "902", "name": "Kim"},
            "message": "Where is this?",
            "created_time": SECONDS,
        },
    ),
    {
        "id": "302_403",
        "from": {"id": "902", "name": "Kim"},
        "message": "Where is this?",
        "created_time": "2026-11-20T15:00:00+0000",
    },
    {"reply_to_id": None, "author_id": "902", "author_name": "Kim", "content": "Where is this?"},
)
_REPLY = {
    "id": "1999",
    "text": "Nice",
    "author_id": "18",
    "conversation_id": "1990",
    "created_at": "2026-11-20T15:00:00.000Z",
    "referenced_tweets": [{"type": "replied_to", "id": "1990"}],
}
X = TwoCopies(
    "X",
    "17",
    "1990",
    {
        "data": {
            "event_uuid": "-3",
            "filter": {"user_id": "17"},
            "event_type": "post.create",
            "payload": _REPLY,
        }
    },
    _REPLY,
    {"reply_to_id": None, "author_id": "18", "author_name": None, "content": "Nice"},
)


@pytest.mark.parametrize("is_pushed_first", [True, False], ids=["pushed first", "polled first"])
@pytest.mark.parametrize("copies", [INSTAGRAM, FACEBOOK, X], ids=lambda each: each.platform)
def test_both_copies_of_a_comment_are_one_row(
    copies: TwoCopies,
    is_pushed_first: bool,
    stream: Callable[[str], StreamStores],
    tmp_path: Path,
) -> None:
    comments = stream("comments")
    both = [copies.pushed(), copies.polled()]
    for number, value in enumerate(both if is_pushed_first else both[::-1]):
        path = tmp_path / f"{number}.ndjson"
        path.write_bytes(value + b"\n")
        assert not ingest_files(comments, [path]).failures
    assert counts(comments) == Counts(raw=2, cleaned=1, duplicates=1, rejected=0, warehouse=1)
    (row,) = comments.cleaned.read().to_pylist()
    expected = copies.row | {
        "platform": copies.platform,
        "account_id": copies.account,
        "post_id": copies.post,
        "comment_id": copies.record["id"],
        "published_at": datetime.fromtimestamp(SECONDS, UTC),
    }
    assert {name: row[name] for name in expected} == expected
