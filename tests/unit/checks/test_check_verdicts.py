"""Each law and limit fails when broken: the verdicts of the checks, on counts made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from dagster import AssetCheckSeverity

from social_assets.checks import freshness
from social_assets.checks.conservation import equality
from social_assets.checks.contract_rules import Broken, verdict
from social_assets.contracts.contract import Freshness
from social_assets.contracts.registry import contract
from social_assets.engine.verdicts import rules

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def test_one_row_lost_or_doubled_on_one_day_breaks_the_law_and_is_named() -> None:
    raw = {MONDAY: 10, TUESDAY: 5}
    assert equality("raw", raw, "settled", dict(raw)).passed
    for other in ({MONDAY: 9, TUESDAY: 5}, {MONDAY: 11, TUESDAY: 5}, {TUESDAY: 5}):
        broken = equality("raw", raw, "settled", other)
        assert not broken.passed
        assert broken.metadata["days_that_differ"].value == 1


def test_a_row_moved_to_another_day_breaks_the_law_though_the_sums_agree() -> None:
    assert not equality("lake", {MONDAY: 2}, "warehouse", {MONDAY: 1, TUESDAY: 1}).passed


def test_one_rejected_record_warns_and_many_are_an_error() -> None:
    posts = contract("posts")
    rule = rules(posts)[0]
    assert verdict(posts, rule, None).passed
    few = verdict(posts, rule, Broken(1, MONDAY, 0.001, ()))
    assert (few.passed, few.severity) == (False, AssetCheckSeverity.WARN)
    many = verdict(posts, rule, Broken(60, MONDAY, 0.06, ()))
    assert (many.passed, many.severity) == (False, AssetCheckSeverity.ERROR)


def test_days_that_stay_away_warn_then_fail() -> None:
    limits = Freshness(warn_after=timedelta(hours=30), fail_after=timedelta(hours=54))
    end = datetime(2026, 3, 3, tzinfo=UTC)
    assert freshness.verdict(limits, MONDAY, end + timedelta(hours=29)).passed
    late = freshness.verdict(limits, MONDAY, end + timedelta(hours=31))
    assert (late.passed, late.severity) == (False, AssetCheckSeverity.WARN)
    stale = freshness.verdict(limits, MONDAY, end + timedelta(hours=55))
    assert (stale.passed, stale.severity) == (False, AssetCheckSeverity.ERROR)
    assert not freshness.verdict(limits, None, end).passed
