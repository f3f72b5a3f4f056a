"""Each invariant and limit fails when it is broken, on constructed counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dagster import AssetCheckSeverity

from social_assets.contracts.contract import Freshness
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks import freshness_checks as freshness
from social_assets.defs.ingestion.checks.rule_results import Broken, rule_result
from social_assets.defs.monitoring.invariant_results import summary
from social_assets.quality.day_comparison import DayComparison
from social_assets.quality.invariants import RawIsAccountedFor
from social_assets.transform.validate import rules

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def invariant() -> RawIsAccountedFor:
    return RawIsAccountedFor(contract("posts"))


def test_one_row_lost_or_doubled_on_one_day_breaks_the_invariant_and_is_named() -> None:
    kept = DayComparison(invariant(), MONDAY, (5.0,), (5.0,))
    assert summary(invariant(), [kept]).passed
    for accounted in (9.0, 11.0, 0.0):
        broken = summary(
            invariant(), [kept, DayComparison(invariant(), TUESDAY, (10.0,), (accounted,))]
        )
        assert not broken.passed
        assert broken.metadata["days_that_differ"].value == 1
        (row,) = broken.metadata["differences"].value.records
        assert row.data["event_date"] == "2026-03-03"


def test_a_row_moved_to_another_day_breaks_the_invariant_though_the_sums_agree() -> None:
    moved = [
        DayComparison(invariant(), MONDAY, (2.0,), (1.0,)),
        DayComparison(invariant(), TUESDAY, (0.0,), (1.0,)),
    ]
    found = summary(invariant(), moved)
    assert not found.passed
    assert found.metadata["days_that_differ"].value == 2


def test_sums_may_differ_in_their_last_digits_and_in_no_other() -> None:
    assert DayComparison(invariant(), MONDAY, (0.1 + 0.2,), (0.3,)).passed
    assert not DayComparison(invariant(), MONDAY, (1e6,), (1e6 + 1,)).passed


def test_sums_that_overflow_are_equal_to_themselves_and_to_nothing_else() -> None:
    infinite, nan = float("inf"), float("nan")
    assert DayComparison(invariant(), MONDAY, (infinite, nan), (infinite, nan)).passed
    for one, other in ((infinite, 1e308), (1.0, infinite), (infinite, -infinite), (nan, 1.0)):
        assert not DayComparison(invariant(), MONDAY, (one,), (other,)).passed
    told = summary(invariant(), [DayComparison(invariant(), MONDAY, (infinite,), (infinite,))])
    assert str(told.metadata["all_raw_rows"].value).startswith("inf (the sum")


def test_one_rejected_record_warns_and_many_are_an_error() -> None:
    posts = contract("posts")
    rule = rules(posts)[0]
    assert rule_result(posts, rule, None).passed
    few = rule_result(posts, rule, Broken(1, MONDAY, 0.001, ()))
    assert (few.passed, few.severity) == (False, AssetCheckSeverity.WARN)
    many = rule_result(posts, rule, Broken(60, MONDAY, 0.06, ()))
    assert (many.passed, many.severity) == (False, AssetCheckSeverity.ERROR)


def test_days_that_stay_away_warn_then_fail() -> None:
    limits = Freshness(warn_after=timedelta(hours=30), fail_after=timedelta(hours=54))
    end = datetime(2026, 3, 3, tzinfo=UTC)
    assert freshness.freshness_result(limits, MONDAY, end + timedelta(hours=29)).passed
    late = freshness.freshness_result(limits, MONDAY, end + timedelta(hours=31))
    assert (late.passed, late.severity) == (False, AssetCheckSeverity.WARN)
    stale = freshness.freshness_result(limits, MONDAY, end + timedelta(hours=55))
    assert (stale.passed, stale.severity) == (False, AssetCheckSeverity.ERROR)
    assert not freshness.freshness_result(limits, None, end).passed
    assert freshness.freshness_result(replace(limits, may_be_empty=True), None, end).passed
