"""A collected record keeps its bytes, and says where it comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from social_assets.control.accounts import Account
from social_assets.ingest.connectors.chain import ChainStart, RecordPage
from social_assets.pipeline.pages.envelopes import envelopes

SLOT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
FETCHED = datetime(2026, 11, 20, 8, 31, 12, 120_000, tzinfo=UTC)
VERBATIM = b'{"id" :  "007", "like_count":1e2, "text":"\\u00e9\xc3\xa9"}'


def test_a_record_stands_verbatim_in_its_envelope() -> None:
    start = ChainStart(Account("Instagram", "0042"), "comments", parent_id="179")
    page = RecordPage(2, (b"{}", VERBATIM), None, FETCHED)
    _, second = envelopes(start, page, SLOT)
    assert VERBATIM in second
    assert json.loads(second) == {
        "platform": "Instagram",
        "account_id": "0042",
        "endpoint": "comments",
        "collected_at": "2026-11-20T08:30:00.000Z",
        "fetched_at": "2026-11-20T08:31:12.120Z",
        "parent_id": "179",
        "page": 2,
        "number": 2,
        "within": [],
        "record": {"id": "007", "like_count": 100.0, "text": "éé"},
    }
