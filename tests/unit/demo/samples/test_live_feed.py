"""Live records: the requested number, with current times, dirty, and always new ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from social_assets.contracts.registry import contract
from social_assets.demo.samples.live_feed import SHARES, LiveFeed

BEGUN = datetime(2026, 11, 20, 12, tzinfo=UTC)


def readable(values: list[bytes]) -> list[dict[str, object]]:
    """The records that are JSON objects."""
    found = []
    for value in values:
        try:
            record = json.loads(value)
        except ValueError:  # not JSON, or not UTF-8: dirt
            continue
        found += [record] if isinstance(record, dict) else []
    return found


@pytest.mark.parametrize("stream", SHARES)
def test_each_stream_of_a_contract_has_live_records_some_of_them_dirty(stream: str) -> None:
    contract(stream)
    feed = LiveFeed(BEGUN)
    messages = feed.take(stream, 5_000, BEGUN)
    assert len(messages.values) == len(messages.keys) == 5_000
    assert 0.9 * 5_000 < messages.accepted < 5_000
    assert all(b"\n" not in value for value in messages.values)


def test_events_are_of_now_and_a_few_of_some_minutes_ago() -> None:
    now = BEGUN + timedelta(seconds=30)
    records = readable(LiveFeed(BEGUN).take("engagement_events", 5_000, now).values)
    stamps = [str(r.get("event_time")) for r in records]
    assert 0.95 < stamps.count("2026-11-20T12:00:30Z") / len(stamps) < 1
    earliest = min(stamp for stamp in stamps if stamp.startswith("2026-11-20"))
    assert "2026-11-20T11:56:30Z" <= earliest < "2026-11-20T12:00:00Z"


def test_some_records_are_sent_again_and_count_as_accepted_once() -> None:
    feed = LiveFeed(BEGUN)
    first, second = (feed.take("engagement_events", 5_000, BEGUN) for _ in range(2))
    ids = [r.get("event_id") for r in readable(first.values + second.values)]
    again = len(second.values) - 5_000
    assert again > 0
    assert len(ids) - len(set(ids)) >= again
    assert second.accepted < 5_000


def test_the_key_is_the_account_so_that_its_events_share_a_partition() -> None:
    messages = LiveFeed(BEGUN).take("engagement_events", 500, BEGUN)
    pairs = [
        (key, record.get("account_id"))
        for value, key in zip(messages.values, messages.keys, strict=True)
        for record in readable([value])
    ]
    whole = [(key, account) for key, account in pairs if isinstance(account, int) and account > 0]
    assert len(whole) > 400
    assert all(key == str(account).encode() for key, account in whole)


def test_two_feeds_share_no_ids() -> None:
    feeds = [LiveFeed(BEGUN + timedelta(seconds=n)) for n in range(2)]
    for stream, name in (
        ("engagement_events", "event_id"),
        ("live_streaming", "EventID"),
        ("posts", "post_id"),
    ):
        ids = [
            {r.get(name) for r in readable(feed.take(stream, 1_000, BEGUN).values)} - {None}
            for feed in feeds
        ]
        assert not ids[0] & ids[1]
