"""Days of the warehouse that are not finished: a check of `cleaned/<stream>` that names them.

Belongs here: what the check says. `warehouse.pending_days` records the days.
"""

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    MetadataValue,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.contract import Contract
from social_assets.defs.warehouse.recovery import is_under_way
from social_assets.warehouse.pending_days import ALL_DAYS, pending_days

REMEDY = "run `social-assets deploy`, or wait for the next load or drain"


def no_day_is_pending(contract: Contract) -> AssetChecksDefinition:
    """Facts and rollups hold every day that the cleaned table holds."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="no_day_is_pending",
        description=f"Warehouse, facts and rollups hold every cleaned day. If not: {REMEDY}",
    )
    def check(
        context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
    ) -> AssetCheckResult:
        with clickhouse.client(f"{contract.name} no_day_is_pending") as client:
            own = [day for day in pending_days(client) if day.stream == contract.name]
        # The run that rebuilds a day finishes it: star and rollups follow this check.
        runs = {day.run_id for day in own}
        under_way = {run_id for run_id in runs if is_under_way(context.instance, run_id)}
        found = [day for day in own if day.run_id not in under_way]
        days = sorted({day.event_date for day in found})
        layers = sorted({day.layer for day in found})
        shown = "all days" if ALL_DAYS in days else ", ".join(map(str, days[:5]))
        return AssetCheckResult(
            passed=not found,
            description=f"{', '.join(layers)} lack {shown}: {REMEDY}" if found else None,
            metadata={"days": MetadataValue.int(len(days)), "layers": MetadataValue.json(layers)},
        )

    return check
