"""What an alert says of a check whose result has no description."""

from __future__ import annotations

from dagster import AssetCheckEvaluation, AssetCheckSpec, AssetKey, MetadataValue

from social_assets.alerts.failed_checks import _not_so


def test_an_invariant_is_not_told_as_if_it_were_the_fault() -> None:
    spec = AssetCheckSpec("no_file_failed", asset=["raw", "posts"], description="failed is empty")
    evaluation = AssetCheckEvaluation(
        asset_key=AssetKey(["raw", "posts"]),
        check_name="no_file_failed",
        passed=False,
        metadata={"files": MetadataValue.int(3)},
    )
    assert _not_so(spec, evaluation) == "files: 3; the check requires: failed is empty"
