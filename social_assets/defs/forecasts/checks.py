"""The checks of forecasts: values far outside their band, coverage, errors beside seasonal naive.

Belongs here: what is checked and shown. What they compute is in `quality.forecasts`. A failed check
is an alert, which is told once as long as it lasts.
"""

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.forecasts.engagement import KEY
from social_assets.defs.reporting import check_comment, listed
from social_assets.quality.forecasts.recorded import coverage, far_values, series_that_lose

LEAST_COVERAGE = 0.9
_TOLD = 5


@asset_check(
    asset=KEY,
    name="newest_values_are_expected",
    description=(
        "No platform or account has a newest complete day or hour far outside of its 95 % band"
    ),
)
def newest_values_are_expected(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A warning: the data may be wrong, or people may have done something new."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = far_values(client)
    return AssetCheckResult(
        passed=not found,
        severity=AssetCheckSeverity.WARN,
        description="; ".join(map(str, found[:_TOLD])) or None,
        metadata={
            "anomalies": len(found),
            **({"values": listed(found)} if found else {}),
        },
    )


@asset_check(
    asset=KEY,
    name="intervals_hold",
    description=f"At least {LEAST_COVERAGE:.0%} of the values are inside of the intervals of 95 %",
)
def intervals_hold(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A warning: people change what they do, and the next nights widen the intervals."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = coverage(client)
    return AssetCheckResult(
        passed=found.part >= LEAST_COVERAGE,
        severity=AssetCheckSeverity.WARN,
        metadata={"values": found.values, "coverage": round(found.part, 4)},
    )


@asset_check(
    asset=KEY,
    name="no_model_loses_to_seasonal_naive",
    description="Each series has one model, whose error is not greater than of seasonal naive",
)
def no_model_loses_to_seasonal_naive(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Fails if the choice of models is broken."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = series_that_lose(client)
    shown = {"wrong": listed(found)} if found else {}
    return AssetCheckResult(passed=not found, metadata={"series": len(found), **shown})


forecast_checks: list[AssetChecksDefinition] = [
    newest_values_are_expected,
    intervals_hold,
    no_model_loses_to_seasonal_naive,
]
