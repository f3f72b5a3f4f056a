"""The invariants as asset checks: nothing lost, nothing doubled, day by day.

Belongs here: the checks. A check has the partitions of its asset, so that a day that passes does
not hide another one that fails. A run of one day compares that day; a run of a range compares each
of its days and adds a summary; drains and loads report the days that they changed; at night all
days are compared, and the changed results are reported. A run also reports days without rows:
Dagster plans a result of each day of its range, and the UI shows the whole check as skipped while
one is missing. What a result says belongs to `invariant_results`.
"""

from collections.abc import Iterator, Sequence
from warnings import catch_warnings, simplefilter

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    PreviewWarning,
    multi_asset_check,
)

# These two are not exported.
from resources.dagster.recorded_events import record
from social_assets.contracts.contract import Contract
from social_assets.defs.monitoring.invariant_results import (
    evaluations,
    failed_days,
    failing_elsewhere,
    not_validated,
    summary,
    summary_of_all_days,
    with_emptied_days,
)
from social_assets.defs.partitions import daily, days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.quality.day_comparison import compare_days, expired_days
from social_assets.quality.invariants import (
    Invariant,
    invariants,
)
from social_assets.quality.recorded_days import recorded


def checks_of_invariants(name: str, of: Sequence[Invariant]) -> AssetChecksDefinition:
    """The checks of some invariants; `name` is the step's, in which all of them run."""
    by_key = {AssetCheckKey(invariant.asset, invariant.name): invariant for invariant in of}
    with catch_warnings():
        # Partitioned checks are in preview in Dagster 1.13; a test holds what we rely on.
        simplefilter("ignore", PreviewWarning)
        specs = [
            AssetCheckSpec(
                invariant.name,
                asset=invariant.asset,
                description=invariant.description,
                additional_deps=[table for table in invariant.tables if table != invariant.asset],
                partitions_def=daily(),
            )
            for invariant in of
        ]

    @multi_asset_check(name=name, specs=specs, can_subset=True)
    def compare(
        context: AssetCheckExecutionContext, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        days = days_of_check(context)
        for key in sorted(context.selected_asset_check_keys):
            invariant, found = by_key[key], stores.stores()
            comment = f"{context.run.run_id} check {invariant.name}"
            with recorded(found, [invariant], comment) as compared:
                comparisons = compare_days(invariant, found, days, comment)
                if days is None:
                    comparisons = with_emptied_days(context.instance, invariant, comparisons)
                compared.extend(comparisons)
            of_one_day = days is not None and len(days) == 1
            failed = failed_days(context.instance, invariant)
            due = [
                v
                for v in comparisons
                if days is not None or any(v.one) or any(v.other) or v.day in failed
            ]
            expired = sorted(expired_days(invariant, found).intersection(days or ()))
            of_days = evaluations(context.instance, invariant, due)
            not_compared = (not_validated(invariant, day) for day in expired)
            record(context.op_execution_context, (*of_days, *not_compared))
            elsewhere = failing_elsewhere(
                context.instance, invariant, comparisons, expired_days(invariant, found)
            )
            # In a run of one partition Dagster records this as the day's result.
            yield summary(invariant, comparisons, () if of_one_day else elsewhere)
            if of_one_day:
                # After the day's, so that the state of the whole check is the latest result.
                whole = summary_of_all_days(context.instance, invariant, comparisons, found)
                context.op_execution_context.log_event(whole)  # type: ignore[arg-type]

    return compare


def stream_invariants(contract: Contract) -> AssetChecksDefinition:
    """The invariants between the tables of one stream."""
    asset = AssetKey(["cleaned", contract.name])
    return checks_of_invariants(
        f"conservation_{contract.name}",
        [invariant for invariant in invariants() if invariant.asset == asset],
    )


def layer_invariants(layer: str) -> AssetChecksDefinition:
    """The invariants of the facts, or of the rollups."""
    return checks_of_invariants(
        f"{layer}_conservation",
        [invariant for invariant in invariants() if invariant.asset.path[0] == layer],
    )
