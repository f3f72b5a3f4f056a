"""The report of a command about the checks of its run."""

from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey

from social_assets.operate.runs.start import RunReport


def evaluation(name: str, *, passed: bool, severity: AssetCheckSeverity) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        asset_key=AssetKey(["cleaned", "posts"]),
        check_name=name,
        passed=passed,
        metadata={},
        severity=severity,
    )


def test_checks_that_failed_are_named_once_however_many_days_they_failed_on() -> None:
    warn, error = AssetCheckSeverity.WARN, AssetCheckSeverity.ERROR
    report = RunReport(
        run_id="1",
        materialized=0,
        checks=(
            evaluation("fresh", passed=False, severity=error),
            evaluation("fresh", passed=False, severity=error),
            evaluation("tags_missing", passed=False, severity=warn),
            evaluation("keys_resolve", passed=True, severity=error),
        ),
    )
    assert report.failed_checks == ["cleaned/posts fresh"]
    assert report.check_counts == {"passed": 1, "warned": 1, "failed": 2}
    assert str(report).splitlines() == [
        "0 materializations; checks: 2 failed, 1 passed, 1 warned",
        "  failed: cleaned/posts fresh",
    ]
