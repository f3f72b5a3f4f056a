"""The results of invariants, day by day: of a day, of all days, and of days that have changed.

Belongs here: how comparisons are reported to Dagster. Loads, drains, rebuilds and the night report
with the functions of this module; the asset checks that use them are in `invariant_checks`. The
comparison itself belongs to `quality.day_comparison`.
"""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date

from dagster import (
    AssetCheckEvaluation,
    AssetCheckKey,
    AssetCheckResult,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    EventRecordsFilter,
    MetadataValue,
    TableRecord,
)

# These two are not exported.
from resources.dagster.private import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from resources.dagster.private import AssetCheckExecutionRecordStatus
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.quality.counted import counted
from social_assets.quality.day_comparison import DayComparison, compare_days, expired_days
from social_assets.quality.invariants import (
    Invariant,
    invariants,
    invariants_of_stream,
)
from social_assets.quality.recorded_days import comparable, recorded

SHOWN = 20
_AT_ONCE = 500
_MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION


def failing_elsewhere(
    instance: DagsterInstance,
    invariant: Invariant,
    comparisons: Sequence[DayComparison],
    expired: Collection[date],
) -> list[date]:
    """The days that failed when last compared, without the days of `comparisons` and `expired`."""
    left = {*expired, *(each.day for each in comparisons)}
    return sorted(failed_days(instance, invariant) - left)


def with_emptied_days(
    instance: DagsterInstance, invariant: Invariant, comparisons: Sequence[DayComparison]
) -> list[DayComparison]:
    """The comparisons, and those of days that failed before and have no rows now."""
    nothing = (0.0,) * len(invariant.measures)
    emptied = failing_elsewhere(instance, invariant, comparisons, ())
    return [*comparisons, *(DayComparison(invariant, day, nothing, nothing) for day in emptied)]


def failed_days(instance: DagsterInstance, invariant: Invariant) -> set[date]:
    """The days on which the invariant did not hold when they were last compared."""
    infos = instance.event_log_storage.get_asset_check_partition_info(
        [AssetCheckKey(invariant.asset, invariant.name)]
    )
    return {
        date.fromisoformat(info.partition_key)
        for info in infos
        if info.partition_key
        and info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
    }


def summary(
    invariant: Invariant, comparisons: Sequence[DayComparison], elsewhere: Sequence[date] = ()
) -> AssetCheckResult:
    """One result for all days: passes if every day passes, else names the days that fail.

    `elsewhere` are days that failed before and are not compared now; they count as failing.
    """
    broken = [each for each in comparisons if not each.passed]
    left, right = invariant.sides
    # Other names than a single day's figures: under the same name the UI draws both as one line.
    metadata: dict[str, MetadataValue] = {
        f"all_{left}_{invariant.measures[0]}": _figure(sum((v.one[0] for v in comparisons), 0.0)),
        f"all_{right}_{invariant.measures[0]}": _figure(
            sum((v.other[0] for v in comparisons), 0.0)
        ),
        "days": MetadataValue.int(len(comparisons)),
        "days_that_differ": MetadataValue.int(len(broken)),
    }
    if elsewhere:
        metadata["days_that_failed_before"] = MetadataValue.json(
            [day.isoformat() for day in elsewhere[:SHOWN]]
        )
    if broken:
        metadata["differences"] = MetadataValue.table(
            [
                TableRecord({"event_date": each.day.isoformat(), "difference": each.description})
                for each in broken[:SHOWN]
            ]
        )
    return AssetCheckResult(
        asset_key=invariant.asset,
        check_name=invariant.name,
        passed=not broken and not elsewhere,
        metadata=metadata,
        description=_description(invariant, broken, elsewhere),
    )


def _description(
    invariant: Invariant, broken: Sequence[DayComparison], elsewhere: Sequence[date]
) -> str | None:
    if not broken and not elsewhere:
        return None
    left, right = invariant.sides
    days = counted(len(broken) + len(elsewhere), "day")
    example = (
        f"{broken[0].day}: {broken[0].description}"
        if broken
        else f"{elsewhere[0]}, as the run that compared it last has recorded"
    )
    return (
        f"{left} and {right} differ on {days}; for example {example}"
        "\n\nBackfill the days: `social-assets backfill --from DAY --to DAY`"
    )


def summary_of_all_days(
    instance: DagsterInstance,
    invariant: Invariant,
    comparisons: Sequence[DayComparison],
    stores: Stores,
) -> AssetCheckEvaluation:
    """The result of the check for all days, to be recorded after the results of single days.

    The UI shows the latest result: without this one, it would show only the last recorded day.
    """
    elsewhere = failing_elsewhere(instance, invariant, comparisons, expired_days(invariant, stores))
    found = summary(invariant, comparisons, elsewhere)
    return AssetCheckEvaluation(
        asset_key=invariant.asset,
        check_name=invariant.name,
        passed=found.passed,
        description=found.description,
        metadata=found.metadata,
    )


def evaluations(
    instance: DagsterInstance, invariant: Invariant, comparisons: Iterable[DayComparison]
) -> Iterator[AssetCheckEvaluation]:
    """The comparisons as check results of the day and of its newest materialization."""
    listed = list(comparisons)
    targets = _targets(instance, invariant.asset, {each.day.isoformat() for each in listed})
    left, right = invariant.sides
    for each in listed:
        yield AssetCheckEvaluation(
            asset_key=invariant.asset,
            check_name=invariant.name,
            passed=each.passed,
            partition=each.day.isoformat(),
            description=None if each.passed else each.description,
            target_materialization_data=targets.get(each.day.isoformat()),
            metadata={
                f"{left}_{invariant.measures[0]}": _figure(each.one[0]),
                f"{right}_{invariant.measures[0]}": _figure(each.other[0]),
            },
        )


def _figure(value: float) -> MetadataValue:
    """A figure for the UI, whose JSON has no infinity: a sum that overflowed is named as text."""
    if math.isfinite(value):
        return MetadataValue.float(value)
    return MetadataValue.text(f"{value} (the sum is more than a Float64 can hold)")


def report_days(
    instance: DagsterInstance, stream: StreamStores, days: Collection[date]
) -> Iterator[AssetCheckEvaluation]:
    """The comparisons of the invariants that a stream's rows take part in, on days that have
    changed. Tables that wait for a deployment are not compared.

    The caller has changed the days, and has released the stream's lock.
    """
    comment = stream.log_comment or "conservation"
    if not days:
        return
    listed = comparable(stream)
    with recorded(stream.stores, listed, comment) as compared:
        for invariant in listed:
            comparisons = compare_days(invariant, stream.stores, sorted(days), comment)
            compared.extend(comparisons)
            yield from evaluations(instance, invariant, comparisons)
            yield summary_of_all_days(instance, invariant, comparisons, stream.stores)


def report_summaries(
    instance: DagsterInstance, stream: StreamStores
) -> Iterator[AssetCheckEvaluation]:
    """The result of each invariant for all days; the caller has emptied days."""
    for invariant in invariants_of_stream(stream.name):
        yield summary_of_all_days(instance, invariant, [], stream.stores)


def end_expired_failures(
    instance: DagsterInstance, stores: Stores
) -> Iterator[AssetCheckEvaluation]:
    """Results that end the failures of expired days; the caller has removed days."""
    for invariant in invariants():
        expired = sorted(failed_days(instance, invariant) & expired_days(invariant, stores))
        for day in expired:
            yield not_validated(invariant, day)
        if expired:
            yield summary_of_all_days(instance, invariant, [], stores)


def not_validated(invariant: Invariant, day: date) -> AssetCheckEvaluation:
    """The result of an expired day."""
    return AssetCheckEvaluation(
        asset_key=invariant.asset,
        check_name=invariant.name,
        passed=True,
        partition=day.isoformat(),
        description="not validated: retention has removed the day",
    )


def changed_results(
    instance: DagsterInstance, invariant: Invariant, comparisons: Sequence[DayComparison]
) -> Iterator[AssetCheckEvaluation]:
    """The results of days that differ, or that Dagster does not know as passing in this state."""
    passed = {
        info.partition_key
        for info in instance.event_log_storage.get_asset_check_partition_info(
            [AssetCheckKey(invariant.asset, invariant.name)]
        )
        if info.latest_execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED
        and info.is_current
    }
    return evaluations(
        instance,
        invariant,
        [each for each in comparisons if not each.passed or each.day.isoformat() not in passed],
    )


def _targets(instance: DagsterInstance, asset: AssetKey, days: set[str]) -> dict[str, Target]:
    """The newest materialization of each day."""
    if not days:
        return {}
    storage = instance.event_log_storage
    newest = storage.get_latest_storage_id_by_partition(asset, _MATERIALIZATION, days)
    ids = sorted(newest.values())
    records = [
        record
        for begin in range(0, len(ids), _AT_ONCE)
        for record in storage.get_event_records(
            EventRecordsFilter(
                _MATERIALIZATION, asset_key=asset, storage_ids=ids[begin : begin + _AT_ONCE]
            )
        )
    ]
    return {
        str(record.partition_key): Target(
            storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
        )
        for record in records
    }
