"""The conservation laws of a stream: nothing lost, nothing doubled, day by day.

Here belong the laws between the lake's layers and the warehouse's `cleaned.<stream>`, and between
that and its fact. Counts come from Delta's log and one GROUP BY, so that they may run after every
batch, over all days.
"""

from collections.abc import Mapping
from datetime import date

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    MetadataValue,
    TableRecord,
    asset_check,
)

from resources.stores import StoresResource
from social_assets.contracts.contract import Contract

DaysCount = Mapping[date, int]
SHOWN = 20


def raw_is_settled(contract: Contract) -> AssetChecksDefinition:
    """Raw = cleaned + duplicates + rejected, for every event date."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="raw_equals_cleaned_plus_quarantine",
        additional_deps=[["raw", contract.name], ["quarantine", contract.name]],
        description="Every raw record of a day is accepted, a duplicate, or rejected; once",
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        stream = stores.stores().of(contract)
        duplicates = stream.quarantine.rows_by_day(verdict="duplicate")
        rejected = stream.quarantine.rows_by_day(verdict="rejected")
        settled = _sum(stream.cleaned.rows_by_day(), duplicates, rejected)
        return equality("raw", stream.raw.rows_by_day(), "settled", settled)

    return check


def warehouse_is_loaded(contract: Contract) -> AssetChecksDefinition:
    """Cleaned in the lake = `cleaned.<stream>` in ClickHouse, for every event date."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="lake_equals_warehouse",
        description="Every accepted record of a day is in ClickHouse, once",
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        stream = stores.stores().of(contract, f"check lake_equals_warehouse {contract.name}")
        stream.loader.prepare()
        lake = stream.cleaned.rows_by_day()
        return equality("lake", lake, "warehouse", stream.loader.rows_by_day())

    return check


def equality(left: str, one: DaysCount, right: str, other: DaysCount) -> AssetCheckResult:
    """Passes if both have the same count on every date; names the dates that differ."""
    differing = [d for d in sorted({*one, *other}) if one.get(d, 0) != other.get(d, 0)]
    metadata: dict[str, MetadataValue] = {
        f"{left}_rows": MetadataValue.int(sum(one.values())),
        f"{right}_rows": MetadataValue.int(sum(other.values())),
        "days": MetadataValue.int(len({*one, *other})),
        "days_that_differ": MetadataValue.int(len(differing)),
    }
    if differing:
        metadata["differences"] = MetadataValue.table(
            [
                TableRecord(
                    {"event_date": d.isoformat(), left: one.get(d, 0), right: other.get(d, 0)}
                )
                for d in differing[:SHOWN]
            ]
        )
    return AssetCheckResult(
        passed=not differing,
        metadata=metadata,
        description=f"{left} and {right} differ on {len(differing)} days" if differing else None,
    )


def _sum(*counts: DaysCount) -> dict[date, int]:
    return {day: sum(c.get(day, 0) for c in counts) for day in set().union(*counts)}
