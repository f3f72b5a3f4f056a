"""The checks of experiments: whether exposures can be trusted, and whether a treatment does harm.

Belongs here: what is checked and shown. What they compute is in `quality.experiments`.
"""

from collections.abc import Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.experiments.results import KEY
from social_assets.defs.reporting import check_comment, listed
from social_assets.quality.experiments.exposures import harms, misplaced_units, sample_ratios


@asset_check(
    asset=KEY,
    name="sample_ratio",
    description="The variants of each experiment have the parts of units that were declared",
)
def sample_ratio(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A mismatch says that exposures are lost or wrong, so that no result can be trusted."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = sample_ratios(client)
    wrong = [each for each in found if not each.is_right]
    return AssetCheckResult(passed=not wrong, metadata=_told("experiments", found, wrong))


@asset_check(
    asset=KEY,
    name="exposures_are_as_assigned",
    description="Each unit was seen in the variant that it is assigned to, and in no other",
)
def exposures_are_as_assigned(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A warning: such units are left out, or show that a service assigns by another rule."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = misplaced_units(client)
    wrong = [each for each in found if not each.is_right]
    return AssetCheckResult(
        passed=not wrong,
        severity=AssetCheckSeverity.WARN,
        metadata=_told("experiments", found, wrong),
    )


@asset_check(
    asset=KEY,
    name="guardrails_hold",
    description="No treatment makes a guardrail worse than its experiment tolerates",
)
def guardrails_hold(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Fails when the whole interval that holds at every look is beyond what is tolerated."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = harms(client)
    return AssetCheckResult(passed=not found, metadata=_told("guardrails", found, found))


experiment_checks: list[AssetChecksDefinition] = [
    sample_ratio,
    exposures_are_as_assigned,
    guardrails_hold,
]


def _told(what: str, found: Sequence[object], wrong: Sequence[object]) -> dict[str, MetadataValue]:
    shown: dict[str, MetadataValue] = {what: MetadataValue.int(len(found))}
    if wrong:
        shown["wrong"] = listed(wrong)
    return shown
