"""The text of an alert about a check: its result, and one remedy."""

from __future__ import annotations

from datetime import date

from dagster import AssetCheckEvaluation, AssetCheckSpec, AssetKey, MetadataValue

from social_assets.alerts.failed_checks import _not_so, _what_it_found
from social_assets.contracts.registry import contract
from social_assets.defs.ingestion.checks.rule_results import Broken, _description
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
