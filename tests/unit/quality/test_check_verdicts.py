"""Each law and limit fails when broken: the verdicts of the checks, on counts made by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from dagster import AssetCheckSeverity

from social_assets.contracts.contract import Freshness
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion import freshness_checks as freshness
from social_assets.defs.ingestion.rule_checks import Broken, verdict
from social_assets.defs.monitoring.invariant_checks import Verdict, summary
from social_assets.quality.invariants import RawIsSettled
from social_assets.transform.validate import rules

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def law() -> RawIsSettled:
    return RawIsSettled(contract("posts"))


def test_one_row_lost_or_doubled_on_one_day_breaks_the_law_and_is_named() -> None:
    kept = Verdict(law(), MONDAY, (5.0,), (5.0,))
    assert summary(law(), [kept]).passed
    for settled in (9.0, 11.0, 0.0):
        broken = summary(law(), [kept, Verdict(law(), TUESDAY, (10.0,), (settled,))])
        assert not broken.passed
        assert broken.metadata["days_that_differ"].value == 1
        (row,) = broken.metadata["differences"].value.records
        assert row.data["event_date"] == "2026-03-03"


def test_a_row_moved_to_another_day_breaks_the_law_though_the_sums_agree() -> None:
    moved = [Verdict(law(), MONDAY, (2.0,), (1.0,)), Verdict(law(), TUESDAY, (0.0,), (1.0,))]
    found = summary(law(), moved)
    assert not found.passed
    assert found.metadata["days_that_differ"].value == 2


def test_sums_may_differ_in_their_last_digits_and_in_no_other() -> None:
    assert Verdict(law(), MONDAY, (0.1 + 0.2,), (0.3,)).passed
    assert not Verdict(law(), MONDAY, (1e6,), (1e6 + 1,)).passed


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
