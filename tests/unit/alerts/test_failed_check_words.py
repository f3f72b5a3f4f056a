"""The text of an alert about a check: its result, and one remedy."""

from __future__ import annotations

from datetime import date, timedelta

from dagster import AssetCheckEvaluation, AssetCheckSpec, AssetKey, MetadataValue

from social_assets.alerts.kinds.failed_checks import _days_of, _not_so, _remedy, _what_it_found
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks.freshness_checks import span
from social_assets.defs.ingestion.checks.rule_results import Broken, _description, rule_result
from social_assets.transform.validate import rules


def test_an_invariant_is_not_told_as_if_it_were_the_fault() -> None:
    spec = AssetCheckSpec("no_file_failed", asset=["raw", "posts"], description="failed is empty")
    evaluation = AssetCheckEvaluation(
        asset_key=AssetKey(["raw", "posts"]),
        check_name="no_file_failed",
        passed=False,
        metadata={"files": MetadataValue.int(3)},
    )
    assert _not_so(spec, evaluation) == "files: 3; the check requires: failed is empty"


def test_an_alert_of_a_rejected_record_tells_one_remedy_and_counts_one_day() -> None:
    posts = contract("posts")
    rule = rules(posts)[0]
    broken = Broken(1, date(2026, 1, 2), 0.5, (), {date(2026, 1, 2): 0.5})
    spec = AssetCheckSpec(rule.name, asset=["cleaned", "posts"])
    evaluation = AssetCheckEvaluation(
        asset_key=AssetKey(["cleaned", "posts"]),
        check_name=rule.name,
        passed=False,
        description=_description(posts, rule, broken),
    )
    found = _what_it_found(spec, evaluation)
    assert found.startswith("1 rejected record on 1 day, the most on 2026-01-02: 50.00% of its")
    assert "social-assets" not in found
    assert "See `social-assets quarantine posts`" in str(evaluation.description)


def test_the_remedy_of_a_rejected_record_names_the_days_that_have_some() -> None:
    posts = contract("posts")
    days = {date(2026, 1, 2): 0.5, date(2026, 1, 9): 0.25}
    result = rule_result(posts, rules(posts)[0], Broken(2, date(2026, 1, 2), 0.5, (), days))
    evaluation = AssetCheckEvaluation(
        asset_key=AssetKey(["cleaned", "posts"]),
        check_name="rule",
        passed=False,
        metadata=result.metadata or {},
    )
    assert _days_of(evaluation) == ["2026-01-02", "2026-01-09"]
    told = _remedy("cleaned/posts", is_admission=False, days=_days_of(evaluation))
    assert "`social-assets backfill cleaned/posts --from 2026-01-02 --to 2026-01-09`" in told


def test_durations_are_told_as_people_say_them() -> None:
    told = {
        timedelta(days=1, hours=6): "1 day 6 hours",
        timedelta(days=8, hours=1, minutes=59): "8 days 1 hour",
        timedelta(hours=2): "2 hours",
        timedelta(minutes=1): "1 minute",
        timedelta(): "0 minutes",
    }
    assert {span(each) for each in told} == set(told.values())
