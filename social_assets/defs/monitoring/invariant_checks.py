"""The conservation laws as asset checks: nothing lost, nothing doubled, day by day.

Here belongs how a law is judged and reported. A check is partitioned as its asset is, so that a day
that passes does not hide another that fails: a run of one day is judged on it; of a range, on each
day of it, with a summary; drains and loads report the days they changed; at night all days are
judged, and what has changed is reported. A run reports the days without rows, too: Dagster plans a
result of each day of its range, and the UI shows the whole check as skipped while one is missing.

Work in progress looks like a loss: a drain lands the next rows while it cleans the last. So days
that differ are judged again with their streams held still; only what differs then is a failure.
Days that retention has removed from any table of a law are not judged.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
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
from social_assets.contracts.registry import contract as contract_of
from social_assets.defs.partitions import daily, days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.quality.invariants import Figures, Law, Sides, laws, laws_of_stream

SHOWN = 20
TOLERANCE = 1e-9
"""Of sums of Float64, relative: adding up in another order differs in the last digits."""

_AT_ONCE = 500
_MATERIALIZATION = DagsterEventType.ASSET_MATERIALIZATION


@dataclass(frozen=True)
class Verdict:
    """What a law says of one day."""

    law: Law
    day: date
    one: Figures
    other: Figures

    @property
    def passed(self) -> bool:
        """Whether both sides agree."""
        return all(
            abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 1.0)
            for a, b in zip(self.one, self.other, strict=True)
        )

    @property
    def description(self) -> str:
        """Which side lacks what."""
        (left, right), measures = self.law.sides, self.law.measures
        return "; ".join(
            f"{measure}: {left} {a:.15g}, {right} {b:.15g}"
            for measure, a, b in zip(measures, self.one, self.other, strict=True)
        )


def law_checks(name: str, of: Sequence[Law]) -> AssetChecksDefinition:
    """The checks of some laws; `name` is the step's, in which all of them run."""
    by_key = {AssetCheckKey(law.asset, law.name): law for law in of}
    with catch_warnings():
        # Partitioned checks are in preview in Dagster 1.13; a test holds what we rely on.
        simplefilter("ignore", PreviewWarning)
        specs = [
            AssetCheckSpec(
                law.name,
                asset=law.asset,
                description=law.description,
                additional_deps=[table for table in law.tables if table != law.asset],
                partitions_def=daily(),
            )
            for law in of
        ]

    @multi_asset_check(name=name, specs=specs, can_subset=True)
    def compare(
        context: AssetCheckExecutionContext, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        days = days_of_check(context)
        for key in sorted(context.selected_asset_check_keys):
            law, found = by_key[key], stores.stores()
            verdicts = judged(law, found, days, f"{context.run.run_id} check {law.name}")
            if days is None:
                verdicts = with_emptied_days(context.instance, law, verdicts)
            of_one_day = days is not None and len(days) == 1
            failed = _failed_days(context.instance, law)
            due = [
                v
                for v in verdicts
                if days is not None or any(v.one) or any(v.other) or v.day in failed
            ]
            expired = sorted(_retired(law, found).intersection(days or ()))
            for each in (
                *evaluations(context.instance, law, due),
                *(_not_validated(law, day) for day in expired),
            ):
                # Its type leaves checks out; it records them.
                context.op_execution_context.log_event(each)  # type: ignore[arg-type]
            elsewhere = failing_elsewhere(context.instance, law, verdicts, _retired(law, found))
            # In a run of one partition Dagster records this as the day's result.
            yield summary(law, verdicts, () if of_one_day else elsewhere)
            if of_one_day:
                # After the day's, so that the state of the whole check is the latest result.
                whole = summary_of_all_days(context.instance, law, verdicts, found)
                context.op_execution_context.log_event(whole)  # type: ignore[arg-type]

    return compare


def stream_laws(contract: Contract) -> AssetChecksDefinition:
    """The laws between the tables of one stream."""
    asset = AssetKey(["cleaned", contract.name])
    return law_checks(
        f"conservation_{contract.name}", [law for law in laws() if law.asset == asset]
    )


def layer_laws(layer: str) -> AssetChecksDefinition:
    """The laws of the facts, or of the rollups."""
    return law_checks(
        f"{layer}_conservation", [law for law in laws() if law.asset.path[0] == layer]
    )


def judged(
    law: Law, stores: Stores, days: Sequence[date] | None, comment: str = "conservation"
) -> list[Verdict]:
    """The verdict on each of some days, or on all days of either side, oldest first."""
    retired = _retired(law, stores)
    verdicts = _verdicts(law, law.figures(stores, days, comment), days, retired)
    differing = [each.day for each in verdicts if not each.passed]
    if not differing:
        return verdicts
    with ExitStack() as locks:
        for stream in sorted(law.streams):
            locks.enter_context(stores.of(contract_of(stream)).lock())
        again = _verdicts(law, law.figures(stores, differing, comment), differing, retired)
    settled = {each.day: each for each in again}
    return [settled.get(each.day, each) for each in verdicts]


def failing_elsewhere(
    instance: DagsterInstance, law: Law, verdicts: Sequence[Verdict], retired: Collection[date]
) -> list[date]:
    """The days that failed when they were last compared, without those compared now or retired."""
    left = {*retired, *(each.day for each in verdicts)}
    return sorted(_failed_days(instance, law) - left)


def with_emptied_days(
    instance: DagsterInstance, law: Law, verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """The results of all days that have rows, and of those that failed and have none any more."""
    nothing = (0.0,) * len(law.measures)
    emptied = failing_elsewhere(instance, law, verdicts, ())
    return [*verdicts, *(Verdict(law, day, nothing, nothing) for day in emptied)]


def _failed_days(instance: DagsterInstance, law: Law) -> set[date]:
    infos = instance.event_log_storage.get_asset_check_partition_info(
        [AssetCheckKey(law.asset, law.name)]
    )
    return {
        date.fromisoformat(info.partition_key)
        for info in infos
        if info.partition_key
        and info.latest_execution_status == AssetCheckExecutionRecordStatus.FAILED
    }


def summary(
    law: Law, verdicts: Sequence[Verdict], elsewhere: Sequence[date] = ()
) -> AssetCheckResult:
    """One result for all days: passes if each does, and names those that don't.

    `elsewhere` are days that were not compared now and failed before: they still do.
    """
    broken = [each for each in verdicts if not each.passed]
    left, right = law.sides
    # Names of their own: under those of a day's figures, the UI would draw both as one line.
    metadata: dict[str, MetadataValue] = {
        f"all_{left}_{law.measures[0]}": MetadataValue.float(
            sum((v.one[0] for v in verdicts), 0.0)
        ),
        f"all_{right}_{law.measures[0]}": MetadataValue.float(
            sum((v.other[0] for v in verdicts), 0.0)
        ),
        "days": MetadataValue.int(len(verdicts)),
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
        asset_key=law.asset,
        check_name=law.name,
        passed=not broken and not elsewhere,
        metadata=metadata,
        description=_description(law, broken, elsewhere),
    )


def _description(law: Law, broken: Sequence[Verdict], elsewhere: Sequence[date]) -> str | None:
    if not broken and not elsewhere:
        return None
    (left, right), number = law.sides, len(broken) + len(elsewhere)
    example = (
        f"{broken[0].day}: {broken[0].description}"
        if broken
        else f"{elsewhere[0]}, as the run that compared it last has recorded"
    )
    return (
        f"{left} and {right} differ on {number} {'day' if number == 1 else 'days'}; for example "
        f"{example}. Backfill the days: `social-assets backfill --from DAY --to DAY`"
    )


def summary_of_all_days(
    instance: DagsterInstance, law: Law, verdicts: Sequence[Verdict], stores: Stores
) -> AssetCheckEvaluation:
    """The state of the check as a whole, for after the results of single days.

    Without it the result of the day that was recorded last would be all that the UI shows.
    """
    elsewhere = failing_elsewhere(instance, law, verdicts, _retired(law, stores))
    found = summary(law, verdicts, elsewhere)
    return AssetCheckEvaluation(
        asset_key=law.asset,
        check_name=law.name,
        passed=found.passed,
        description=found.description,
        metadata=found.metadata,
    )


def _retired(law: Law, stores: Stores) -> set[date]:
    return stores.lake.retired().days(*(table.to_user_string() for table in law.tables))


def evaluations(
    instance: DagsterInstance, law: Law, verdicts: Iterable[Verdict]
) -> Iterator[AssetCheckEvaluation]:
    """A verdict of each day as Dagster keeps it: of the day, and of its newest materialization."""
    listed = list(verdicts)
    targets = _targets(instance, law.asset, {each.day.isoformat() for each in listed})
    left, right = law.sides
    for each in listed:
        yield AssetCheckEvaluation(
            asset_key=law.asset,
            check_name=law.name,
            passed=each.passed,
            partition=each.day.isoformat(),
            description=None if each.passed else each.description,
            target_materialization_data=targets.get(each.day.isoformat()),
            metadata={
                f"{left}_{law.measures[0]}": MetadataValue.float(each.one[0]),
                f"{right}_{law.measures[0]}": MetadataValue.float(each.other[0]),
            },
        )


def report_days(
    instance: DagsterInstance, stream: StreamStores, days: Collection[date]
) -> Iterator[AssetCheckEvaluation]:
    """The verdicts of the laws that a stream's rows take part in, on days that have changed.

    For whoever has changed them, once the work is done and the stream's lock let go.
    """
    comment = stream.log_comment or "conservation"
    for law in laws_of_stream(stream.contract.name) if days else []:
        verdicts = judged(law, stream.stores, sorted(days), comment)
        yield from evaluations(instance, law, verdicts)
        yield summary_of_all_days(instance, law, verdicts, stream.stores)


def report_summaries(
    instance: DagsterInstance, stream: StreamStores
) -> Iterator[AssetCheckEvaluation]:
    """The state of each invariant as a whole, for whoever has emptied days."""
    for law in laws_of_stream(stream.contract.name):
        yield summary_of_all_days(instance, law, [], stream.stores)


def end_expired_failures(
    instance: DagsterInstance, stores: Stores
) -> Iterator[AssetCheckEvaluation]:
    """The results that end the failures of expired days, for whoever has removed days."""
    for law in laws():
        expired = sorted(_failed_days(instance, law) & _retired(law, stores))
        for day in expired:
            yield _not_validated(law, day)
        if expired:
            yield summary_of_all_days(instance, law, [], stores)


def _not_validated(law: Law, day: date) -> AssetCheckEvaluation:
    """The result of an expired day."""
    return AssetCheckEvaluation(
        asset_key=law.asset,
        check_name=law.name,
        passed=True,
        partition=day.isoformat(),
        description="not validated: retention has removed the day",
    )


def changed_results(
    instance: DagsterInstance, law: Law, verdicts: Sequence[Verdict]
) -> Iterator[AssetCheckEvaluation]:
    """The evaluations of days whose verdict is not what Dagster has of the day as it is now."""
    passed = {
        info.partition_key
        for info in instance.event_log_storage.get_asset_check_partition_info(
            [AssetCheckKey(law.asset, law.name)]
        )
        if info.latest_execution_status == AssetCheckExecutionRecordStatus.SUCCEEDED
        and info.is_current
    }
    return evaluations(
        instance,
        law,
        [each for each in verdicts if not each.passed or each.day.isoformat() not in passed],
    )


def _verdicts(
    law: Law, sides: Sides, days: Sequence[date] | None, retired: set[date]
) -> list[Verdict]:
    nothing = (0.0,) * len(law.measures)
    asked = {*sides.one, *sides.other} if days is None else set(days)
    return [
        Verdict(law, day, sides.one.get(day, nothing), sides.other.get(day, nothing))
        for day in sorted(asked - retired)
    ]


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
