"""What a platform has changed, and how much of its limits is left, can be shown."""

from __future__ import annotations

import time

import pytest

from social_assets.control.collection.credentials import PlatformCredentials, Tokens
from social_assets.ingest.connectors.engine.fields import SeenFields
from social_assets.ingest.connectors.quota import QuotaUse, quota_uses
from social_assets.ingest.connectors.registry import connector_of
from tests.integration.ingest.connectors.collecting import Collecting
from tests.integration.ingest.connectors.replay_server import Given, Replayed


def test_a_field_that_was_never_seen_is_told_once_and_kept(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    old = {"id": "1", "public_metrics": {"like_count": 1}}
    new = {"id": "2", "public_metrics": {"like_count": 1, "repost_count": 2}, "tags": [{"n": 1}]}
    server.give({"data": [old]}, {"data": [new, new]}, {"data": [new]})
    notes = [collecting.chain("X", "17", "posts")[1].notes for _ in range(3)]
    assert notes == [
        (),
        (
            "field public_metrics.repost_count never seen before, in 2 records",
            "field tags never seen before, in 2 records",
            "field tags[].n never seen before, in 2 records",
        ),
        (),
    ]
    seen = SeenFields(collecting.home)
    found = [(each.endpoint, each.field, each.records) for each in seen.drift()]
    seen.close()
    assert found == [
        ("posts", "public_metrics.repost_count", 2),
        ("posts", "tags", 2),
        ("posts", "tags[].n", 2),
    ]


def test_a_name_without_an_encoding_stops_no_chain(
    collecting: Collecting, server: Replayed
) -> None:
    collecting.add("X", "17")
    server.give({"data": [{"id": "1"}]}, {"data": [{"id": "2", "\ud800": 1}]}, {"data": []})
    notes = [collecting.chain("X", "17", "posts")[1].notes for _ in range(3)]
    assert notes == [(), ("field \\ud800 never seen before, in 1 records",), ()]


def test_what_is_left_of_each_limit_is_shown(collecting: Collecting, server: Replayed) -> None:
    collecting.add("X", "17")

    def uses() -> tuple[QuotaUse, ...]:
        return quota_uses(collecting.home, collecting.engine, connector_of("x"), collecting.clock)

    assert uses() == ()
    server.give({"data": {"id": "17"}})
    collecting.chain("X", "17", "user")
    assert sorted((each.used, each.most, each.is_money) for each in uses()) == [
        (pytest.approx(0.01), 20.0, True),
        (pytest.approx(0.01), 300.0, True),
        (1, 900, False),
    ]
    server.give(Given({"type": "https://api.x.com/2/problems/usage-capped"}, 429))
    with pytest.raises(Exception, match="waiting does not help"):
        collecting.chain("X", "17", "user")
    assert all(each.blocked_until for each in uses())


def test_a_call_is_fast_among_very_many_credentials(
    collecting: Collecting, server: Replayed, credentials: PlatformCredentials
) -> None:
    for number in range(100):
        credentials.add("TikTok", Tokens(f"t{number}"), str(number))
    server.answer = lambda asked: Given({"data": {"user": {}}, "error": {"code": "ok"}})
    begin = time.process_time()
    for _ in range(20):
        collecting.chain("TikTok", "7", "user_info")
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer t7"}
    assert time.process_time() - begin < 2
