"""`features/online`: the online store, kept at what the warehouse has; and the check of it.

Belongs here: when it is made and what is shown. What a pass does belongs to `features.online`.
"""

import time
from datetime import UTC, datetime

from dagster import (
    AllPartitionMapping,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.defs.automation import MATERIALIZE_ONLINE
from social_assets.defs.reporting import check_comment, query_comment
from social_assets.features.online.chosen_store import online_store
from social_assets.features.online.materialize import materialize
from social_assets.features.registry import views
from social_assets.quality.features.online_rows import compare_online
from social_assets.warehouse.dbt.tables import asset_of

KEY = AssetKey(["features", "online"])
ONLINE_EQUALS_OFFLINE = "online_equals_offline"
OWNERS = ["team:engagement"]
_WATCHED = sorted({asset_of(each.table) for view in views() for each in view.watched})


@asset(
    key=KEY,
    group_name="features",
    deps=[AssetDep(key, partition_mapping=AllPartitionMapping()) for key in _WATCHED],
    owners=OWNERS,
    kinds={"clickhouse", "sqlite"},
    automation_condition=MATERIALIZE_ONLINE,
    pool="features_online",
    description=(
        "The features of users, accounts and posts as they are now, in the home's SQLite file or in"
        " Redis. A pass writes those that changed since the one before"
    ),
    metadata={
        "dagster/column_schema": TableSchema(
            columns=[
                TableColumn(each.name, each.type.value, f"{view.entity.name}: {each.description}")
                for view in views()
                for each in view.features
            ]
        ),
    },
)
def online_features(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """A run that is killed is repeated without harm."""
    started, home = time.monotonic(), Home.from_environment()
    store = online_store(home)
    try:
        with clickhouse.client(query_comment(context)) as client:
            passed = materialize(client, store, home.path / "locks")
    finally:
        store.close()
    return MaterializeResult(
        metadata={
            "rows_read": sum(each.read for each in passed),
            "rows_written": sum(each.written for each in passed),
            "as_of": MetadataValue.timestamp(datetime.now(UTC)),
            "views": MetadataValue.table(
                [
                    TableRecord(
                        {
                            "view": each.view,
                            "read": each.read,
                            "written": each.written,
                            "everything": each.is_everything,
                        }
                    )
                    for each in passed
                ]
            ),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


@asset_check(
    asset=KEY,
    name=ONLINE_EQUALS_OFFLINE,
    description="The online store has the rows that the warehouse gives for the same time",
)
def online_equals_offline(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A sample of the rows, and the number of all. Who changed since the last pass is left out."""
    home = Home.from_environment()
    store = online_store(home)
    try:
        with clickhouse.client(check_comment(context, KEY)) as client:
            found = compare_online(client, store, home.path / "locks")
    finally:
        store.close()
    wrong = [each for each in found if not each.is_right]
    return AssetCheckResult(
        passed=not wrong,
        description=(
            f"{', '.join(each.view for each in wrong)}: the online store differs from the "
            "warehouse; if it stays so, remove the store and materialize features/online"
            if wrong
            else None
        ),
        metadata={
            "rows_compared": sum(each.compared for each in found),
            "rows_of_one_only": sum(each.missing for each in found),
            "differing_features": ", ".join(
                f"{each.view}.{name}" for each in found for name in each.differing
            )
            or "none",
            "not_materialized": ", ".join(each.view for each in found if each.as_of is None)
            or "none",
        },
    )


online_checks: list[AssetChecksDefinition] = [online_equals_offline]
