"""Facts and rollups are kept as long as the stream with the longest retention behind them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from dagster import AssetKey

from social_assets.contracts.contract import Contract, Retention
from social_assets.contracts.registry import contract
from social_assets.defs.maintenance import nightly as maintenance
from social_assets.defs.maintenance.nightly import days_kept

FACT, ROLLUP = AssetKey(["star", "fact_posts"]), AssetKey(["rollups", "posts_daily"])
FEATURE = AssetKey(["features", "sessions"])


@pytest.fixture(autouse=True)
def both_feed_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "built_from", lambda stream: [FACT, ROLLUP, FEATURE])


def keeping(stream: str, facts: int | None, rollups: int | None) -> Contract:
    kept = Retention(facts_days=facts, rollups_days=rollups)
    return replace(contract(stream), retention=kept)


def test_a_fact_is_kept_as_facts_are_and_a_rollup_as_rollups() -> None:
    among = [keeping("posts", 30, 400)]
    assert (days_kept(FACT, among), days_kept(ROLLUP, among)) == (30, 400)


def test_of_several_streams_the_one_that_keeps_longest_counts() -> None:
    among = [keeping("posts", 30, 90), keeping("live_streaming", 60, None)]
    assert (days_kept(FACT, among), days_kept(ROLLUP, among)) == (60, None)


def test_a_feature_is_kept_no_longer_than_each_of_the_facts_that_it_needs() -> None:
    among = [keeping("posts", 60, 90), keeping("live_streaming", 30, 400)]
    assert days_kept(FEATURE, among) == 30
    assert days_kept(FEATURE, [*among, keeping("video_interactions", None, None)]) == 30
    assert days_kept(FEATURE, [keeping("posts", None, 90)]) is None
