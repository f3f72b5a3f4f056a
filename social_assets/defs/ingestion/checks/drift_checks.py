"""Drift of a stream: whether a day's rows are like those of the days before it.

Belongs here: four checks of `cleaned/<stream>`: volume, missing values, shares of categories, and
quantiles of numbers. A run validates the newest of its days that has ended, or of all days, and the
days that failed before (`failing_days`). The measures belong to `quality.drift`, the limits to the
contract.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    MetadataValue,
    TableRecord,
    multi_asset_check,
)

from social_assets.contracts.contract import Band, Contract
from social_assets.defs.monitoring.failing_days import failing_days, worst
from social_assets.defs.partitions import days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.quality.drift import Compared, DriftMeasure, Kind, band, compare, read_figures

SHOWN = 30
_DIGITS = 4
_UNIT = {
    Kind.VOLUME: "rows are more, or fewer, than usual by a factor",
    Kind.MISSING: "the share of rows without a value differs",
    Kind.CATEGORY: "the share of a category differs",
    Kind.QUANTILE: "a quantile has moved, as a part of the usual range,",
}


def drift_checks(contract: Contract) -> AssetChecksDefinition:
    """One check a kind of measure; all four come from one query."""
    asset_key = ["cleaned", contract.name]
    specs = [
        AssetCheckSpec(kind.value, asset=asset_key, description=_description(contract, kind))
        for kind in Kind
    ]

    @multi_asset_check(name=f"drift_{contract.name}", specs=specs, can_subset=True)
    def check(
        context: AssetCheckExecutionContext, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        keys = {Kind(key.name): key for key in context.selected_asset_check_keys}
        failing = {kind: failing_days(context.instance, key) for kind, key in keys.items()}
        compared = _compared(
            contract, stores, context, {day for days in failing.values() for day in days}
        )
        newest = next(iter(compared))
        for kind in Kind:
            if kind in keys:
                due = [newest, *(day for day in failing[kind] if day in compared)]
                yield worst({day: day_result(contract, kind, compared[day]) for day in due})

    return check


def _compared(
    contract: Contract,
    stores: StoresResource,
    context: AssetCheckExecutionContext,
    failing: Iterable[date],
) -> Mapping[date | None, Compared]:
    """The run's newest day first, then each failing day that still has rows."""
    today = datetime.now(UTC).date()
    with stores.clickhouse.client(f"{context.run.run_id} check drift {contract.name}") as client:
        found = compare(contract, read_figures(client, contract, today, days_of_check(context)))
        by_day = {found.day: found}
        for day in sorted(set(failing) - {found.day}):
            again = compare(contract, read_figures(client, contract, today, [day]))
            if again.day == day:
                by_day[day] = again
    return by_day


def day_result(contract: Contract, kind: Kind, compared: Compared) -> AssetCheckResult:
    """The validation result of one kind on one day."""
    limits = band(contract.drift, kind)
    measures = sorted(
        (m for m in compared.measures if m.kind is kind), key=lambda m: m.change, reverse=True
    )
    drifted = [m for m in measures if m.change > limits.warn_above]
    severe = any(m.change > limits.fail_above for m in drifted)
    metadata: dict[str, MetadataValue] = {
        "day": MetadataValue.text(compared.day.isoformat() if compared.day else "none"),
        "trailing_days": MetadataValue.int(compared.trailing_days),
    }
    if measures:
        rows = [_row(m, limits) for m in measures[:SHOWN]]
        metadata["measures"] = MetadataValue.table(rows)
    description = (
        compared.not_validated.get(kind) and f"not validated: {compared.not_validated[kind]}"
    )
    if drifted:
        description = f"on {compared.day}: " + "; ".join(_told(m) for m in drifted[:3])
    return AssetCheckResult(
        asset_key=["cleaned", contract.name],
        check_name=kind.value,
        passed=not drifted,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=description,
        metadata=metadata,
    )


def _row(measure: DriftMeasure, limits: Band) -> TableRecord:
    change = measure.change
    is_usual = change <= limits.warn_above
    return TableRecord(
        {
            "column": measure.column or "(rows)",
            "measure": measure.what,
            "day": round(measure.today, _DIGITS),
            "trailing": round(measure.trailing, _DIGITS),
            "change": round(change, _DIGITS),
            "result": "usual" if is_usual else ("ERROR" if change > limits.fail_above else "WARN"),
        }
    )


def _told(measure: DriftMeasure) -> str:
    name = f"{measure.column}: " if measure.column else ""
    return f"{name}{measure.what} {measure.today:.4g}, usually {measure.trailing:.4g}"


def _description(contract: Contract, kind: Kind) -> str:
    limits, drift = band(contract.drift, kind), contract.drift
    return (
        (
            f"Warns where {_UNIT[kind]} by more than {limits.warn_above:g} from the "
            f"{drift.trailing_days} days before (error above {limits.fail_above:g})"
        )
        .replace("by a factor by more than", "by a factor of more than")
        .replace(", by", " by")
    )
