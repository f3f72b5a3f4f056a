"""The invariants as asset checks: nothing lost, nothing doubled, day by day.

Belongs here: how comparisons are reported. A check has the partitions of its asset, so that a day
that passes does not hide another one that fails. A run of one day compares that day; a run of a
range compares each of its days and adds a summary; drains and loads report the days that they
changed; at night all days are compared, and the changed results are reported. A run also reports
days without rows: Dagster plans a result of each day of its range, and the UI shows the whole check
as skipped while one is missing. The comparison itself belongs to `quality.day_comparison`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from warnings import catch_warnings, simplefilter

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    DagsterEventType,
    DagsterInstance,
    EventRecordsFilter,
    MetadataValue,
    PreviewWarning,
    TableRecord,
    multi_asset_check,
)

# These two are not exported.
from resources.dagster.private import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)
from resources.dagster.private import AssetCheckExecutionRecordStatus
from social_assets.contracts.contract import Contract
from social_assets.defs.partitions import daily, days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.quality.counted import counted
from social_assets.quality.day_comparison import DayComparison, compare_days, expired_days
from social_assets.quality.invariants import (
    Invariant,
    invariants,
    invariants_of_stream,
)

SHOWN = 20
_AT_ONCE = 500
_MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION


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
            comparisons = compare_days(
                invariant, found, days, f"{context.run.run_id} check {invariant.name}"
            )
            if days is None:
                comparisons = with_emptied_days(context.instance, invariant, comparisons)
            of_one_day = days is not None and len(days) == 1
            failed = _failed_days(context.instance, invariant)
            due = [
                v
                for v in comparisons
                if days is not None or any(v.one) or any(v.other) or v.day in failed
            ]
            expired = sorted(expired_days(invariant, found).intersection(days or ()))
            for each in (
                *evaluations(context.instance, invariant, due),
                *(_not_validated(invariant, day) for day in expired),
            ):
                # Its type leaves checks out; it records them.
                context.op_execution_context.log_event(each)  # type: ignore[arg-type]
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


def failing_elsewhere(
    instance: DagsterInstance,
    invariant: Invariant,
    comparisons: Sequence[DayComparison],
    expired: Collection[date],
) -> list[date]:
    """The days that failed when last compared, without the days of `comparisons` and `expired`."""
    left = {*expired, *(each.day for each in comparisons)}
    return sorted(_failed_days(instance, invariant) - left)


def with_emptied_days(
    instance: DagsterInstance, invariant: Invariant, comparisons: Sequence[DayComparison]
) -> list[DayComparison]:
    """The comparisons, and those of days that failed before and have no rows now."""
    nothing = (0.0,) * len(invariant.measures)
    emptied = failing_elsewhere(instance, invariant, comparisons, ())
    return [*comparisons, *(DayComparison(invariant, day, nothing, nothing) for day in emptied)]


def _failed_days(instance: DagsterInstance, invariant: Invariant) -> set[date]:
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
        f"all_{left}_{invariant.measures[0]}": MetadataValue.float(
            sum((v.one[0] for v in comparisons), 0.0)
        ),
        f"all_{right}_{invariant.measures[0]}": MetadataValue.float(
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
                f"{left}_{invariant.measures[0]}": MetadataValue.float(each.one[0]),
                f"{right}_{invariant.measures[0]}": MetadataValue.float(each.other[0]),
            },
        )


def report_days(
    instance: DagsterInstance, stream: StreamStores, days: Collection[date]
) -> Iterator[AssetCheckEvaluation]:
    """The comparisons of the invariants that a stream's rows take part in, on days that have
    changed.

    The caller has changed the days, and has released the stream's lock.
    """
    comment = stream.log_comment or "conservation"
    for invariant in invariants_of_stream(stream.contract.name) if days else []:
        comparisons = compare_days(invariant, stream.stores, sorted(days), comment)
        yield from evaluations(instance, invariant, comparisons)
        yield summary_of_all_days(instance, invariant, comparisons, stream.stores)


def report_summaries(
    instance: DagsterInstance, stream: StreamStores
) -> Iterator[AssetCheckEvaluation]:
    """The result of each invariant for all days; the caller has emptied days."""
    for invariant in invariants_of_stream(stream.contract.name):
        yield summary_of_all_days(instance, invariant, [], stream.stores)


def end_expired_failures(
    instance: DagsterInstance, stores: Stores
) -> Iterator[AssetCheckEvaluation]:
    """Results that end the failures of expired days; the caller has removed days."""
    for invariant in invariants():
        expired = sorted(_failed_days(instance, invariant) & expired_days(invariant, stores))
        for day in expired:
            yield _not_validated(invariant, day)
        if expired:
            yield summary_of_all_days(instance, invariant, [], stores)


def _not_validated(invariant: Invariant, day: date) -> AssetCheckEvaluation:
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
