"""`features/training_set`: users with what was known of them at a time; and the check of it.

Belongs here: when it is made and what is shown. The join belongs to `features.offline`.
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
    AutomationCondition,
    MaterializeResult,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.features.online import OWNERS
from social_assets.defs.reporting import check_comment, query_comment, table_schema
from social_assets.defs.warehouse.features_lock import features_lock
from social_assets.features.feature_view import USER
from social_assets.features.offline.training_table import (
    LABEL,
    MEANING,
    TRAINING_SET,
    training_table,
    write_training_set,
)
from social_assets.features.registry import views_of
from social_assets.quality.features.leaking_features import leaking_features
from social_assets.warehouse.dbt.tables import asset_of

KEY = AssetKey(["features", "training_set"])
NO_FEATURE_IS_NEWER = "no_feature_is_newer_than_its_label"
_SOURCES = sorted(
    {
        asset_of("features.user_days"),
        *(asset_of(each.table) for view in views_of(USER) for each in view.watched),
    }
)
_EACH_NIGHT = AutomationCondition.cron_tick_passed("30 3 * * *").with_label("each night at 03:30")


@asset(
    key=KEY,
    group_name="features",
    deps=[AssetDep(key, partition_mapping=AllPartitionMapping()) for key in _SOURCES],
    owners=OWNERS,
    kinds={"clickhouse"},
    automation_condition=_EACH_NIGHT & ~AutomationCondition.in_progress(),
    pool="features_training_set",
    description=f"{MEANING}. Point-in-time correct: a day is known at its end, by ASOF LEFT JOIN",
    metadata={
        "dagster/table_name": TRAINING_SET,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(training_table()),
    },
)
def training_set(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled beside the table and exchanged with it in one step."""
    started = time.monotonic()
    with (
        features_lock(),
        clickhouse.client(query_comment(context)) as client,
    ):
        rows = write_training_set(client, context.run.run_id, datetime.now(UTC))
        [(share,)] = client.query(f"SELECT avgOrDefault({LABEL}) FROM {TRAINING_SET}").result_rows
    return MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            f"share_{LABEL}": round(float(share), 4),
            "features": sum(len(view.features) for view in views_of(USER)),
            "seconds": round(time.monotonic() - started, 3),
        }
    )


@asset_check(
    asset=KEY,
    name=NO_FEATURE_IS_NEWER,
    description="Features were known at the time of the label, and sums are of days that had ended",
)
def no_feature_is_newer_than_its_label(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Sums are computed anew without the join that made the table."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        found = leaking_features(client)
    wrong = [each.view for each in found if not each.is_right]
    return AssetCheckResult(
        passed=not wrong,
        description=(
            f"features of {', '.join(wrong)} are not those of the time of the label; materialize "
            "features/training_set, and train nothing on it before"
            if wrong
            else None
        ),
        metadata={
            "rows_with_newer_features": sum(each.newer for each in found),
            "rows_with_sums_of_later_days": sum(each.exceeding for each in found),
        },
    )


training_set_checks: list[AssetChecksDefinition] = [no_feature_is_newer_than_its_label]
