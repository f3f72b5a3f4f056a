"""The output of `status` about a check."""

import dagster as dg
import pytest

from social_assets.operate.status import check_status

FAILS = "fails"


@pytest.fixture
def definitions() -> dg.Definitions:
    @dg.asset
    def table(context: dg.AssetExecutionContext) -> None:
        if context.run.tags.get(FAILS):
            raise dg.Failure("no disk")

    @dg.asset_check(asset=table)
    def is_right() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return dg.Definitions([table], asset_checks=[is_right])


def test_a_run_that_failed_before_its_checks_leaves_their_results(
    definitions: dg.Definitions,
) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("table"), "is_right")
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        assert check_status(instance, key).result == "never run"
        job.execute_in_process(instance=instance)
        assert check_status(instance, key).result == "passed"
        job.execute_in_process(instance=instance, tags={FAILS: "yes"}, raise_on_error=False)
        assert check_status(instance, key).result == "passed"
