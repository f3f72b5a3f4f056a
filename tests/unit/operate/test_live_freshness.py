"""The delays of the live demonstration, computed from counts."""

from __future__ import annotations

from social_assets.demo.live.freshness import FreshnessRecorder


def test_a_record_is_visible_when_as_many_are_as_were_created_until_then() -> None:
    freshness = FreshnessRecorder()
    freshness.created(10, at=0.0)
    freshness.created(10, at=1.0)
    freshness.visible(9, at=1.5)
    assert freshness.delays() is None
    freshness.visible(10, at=2.0)
    delays = freshness.delays()
    assert delays is not None
    assert (delays.p50, delays.p99, delays.records) == (2.0, 2.0, 10)
    assert freshness.behind(at=3.0) == 2.0


def test_percentiles_are_over_records_and_not_over_the_ticks_they_came_in() -> None:
    freshness = FreshnessRecorder()
    freshness.created(96, at=0.0)
    freshness.visible(96, at=1.0)
    freshness.created(4, at=1.0)
    freshness.visible(100, at=9.0)
    delays = freshness.delays()
    assert delays is not None
    assert (delays.p50, delays.p95, delays.p99) == (1.0, 1.0, 8.0)


def test_what_became_visible_before_a_time_is_left_out() -> None:
    freshness = FreshnessRecorder()
    freshness.created(5, at=0.0)
    freshness.visible(5, at=30.0)
    freshness.created(5, at=100.0)
    freshness.visible(10, at=101.0)
    delays = freshness.delays(since=60.0)
    assert delays is not None
    assert (delays.p99, delays.records) == (1.0, 5)
    assert freshness.delays(since=102.0) is None


def test_nothing_is_behind_when_all_is_visible() -> None:
    freshness = FreshnessRecorder()
    assert freshness.behind(at=5.0) == 0.0
    freshness.created(1, at=5.0)
    assert freshness.behind(at=7.0) == 2.0
    freshness.visible(1, at=7.0)
    assert freshness.behind(at=9.0) == 0.0
