"""`forecasts/engagement`: how much engagement the next days and hours have, each night.

Belongs here: when it is made and what is shown. Forecasting is in `social_assets.forecasts`.
"""

import time
from datetime import UTC, datetime
from functools import cache

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AutomationCondition,
    Failure,
    MaterializeResult,
    asset,
    define_asset_job,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.forecasts.reporting import forecasts_metadata
from social_assets.defs.reporting import query_comment, table_schema
from social_assets.forecasts.engagement import ROLLUPS, forecast_engagement, pending_days
from social_assets.forecasts.series import SeriesError
from social_assets.forecasts.tables import FORECASTS, SERIES, write_forecasts

KEY = AssetKey(FORECASTS.name.split("."))
JOB_NAME = "forecast_engagement"
_EACH_NIGHT = AutomationCondition.cron_tick_passed("45 4 * * *").with_label("each night at 04:45")


@cache
def engagement_forecasts() -> AssetsDefinition:
    """The asset. It is computed anew as a whole, so that late records change the right day."""

    @asset(
        key=KEY,
        group_name="forecasts",
        deps=[
            AssetDep(AssetKey(name.split(".")), partition_mapping=AllPartitionMapping())
            for name in ROLLUPS
        ],
        owners=["team:engagement"],
        kinds={"clickhouse", "python"},
        automation_condition=_EACH_NIGHT & ~AutomationCondition.in_progress(),
        pool="forecasts",
        description=(
            f"{FORECASTS.meaning}. By day of accounts and platforms, by hour of platforms. The "
            f"models, their errors and the measured coverage are in {SERIES.name}"
        ),
        metadata={
            "dagster/table_name": FORECASTS.name,
            "dagster/storage_kind": "clickhouse",
            "dagster/column_schema": table_schema(FORECASTS),
        },
    )
    def engagement_forecasts(
        context: AssetExecutionContext, clickhouse: ClickHouseResource
    ) -> MaterializeResult[None]:
        """Only complete days and hours are read; the tables are replaced at the end."""
        started = time.monotonic()
        with clickhouse.client(query_comment(context)) as client:
            pending = pending_days(client)
            try:
                found = forecast_engagement(client)
            except SeriesError as error:
                raise Failure(str(error), allow_retries=False) from error
            rows = write_forecasts(client, found, context.run.run_id, datetime.now(UTC))
        return MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                **forecasts_metadata(found, pending),
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    return engagement_forecasts


forecast_job = define_asset_job(
    JOB_NAME,
    selection=[KEY],
    description="Forecast engagement, and check the forecasts",
)
