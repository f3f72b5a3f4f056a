"""`predictions/addiction_models`: how well the addiction level is predicted, each week.

Belongs here: when it is evaluated, what is shown, and the check. Evaluation is in
`social_assets.predictions`.
"""

import time
from datetime import UTC, datetime
from functools import cache

from dagster import (
    AllPartitionMapping,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AutomationCondition,
    MaterializeResult,
    MetadataValue,
    TableColumn,
    TableRecord,
    TableSchema,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.pictures import new_figure, picture
from social_assets.defs.reporting import check_comment, listed, query_comment, table_schema
from social_assets.predictions.evaluation import RatingEvaluation, evaluate
from social_assets.predictions.tables import GROUPS, MODELS, write_evaluation
from social_assets.predictions.watching import SOURCE, read_watching

KEY = AssetKey(MODELS.name.split("."))
MOST_BIAS = 1.0
"""Points of the rating by which a group may be predicted too high or too low."""
_EACH_SUNDAY = AutomationCondition.cron_tick_passed("15 5 * * 0").with_label("Sundays at 05:15")
_SHOWN_COLUMNS = 10


@cache
def addiction_models() -> AssetsDefinition:
    """The asset. It is computed anew as a whole, of the newest rows."""

    @asset(
        key=KEY,
        group_name="predictions",
        deps=[AssetDep(AssetKey(SOURCE.split(".")), partition_mapping=AllPartitionMapping())],
        owners=["team:engagement"],
        kinds={"clickhouse", "scikitlearn"},
        automation_condition=_EACH_SUNDAY & ~AutomationCondition.in_progress(),
        pool="predictions",
        description=(
            f"{MODELS.meaning}. Boosting and a linear model compete with the mean of all people; "
            "no champion is a result, too. Errors by gender and age group are in "
            f"{GROUPS.name}. No prediction of a single person is stored"
        ),
        metadata={
            "dagster/table_name": MODELS.name,
            "dagster/storage_kind": "clickhouse",
            "dagster/column_schema": table_schema(MODELS),
        },
    )
    def addiction_models(
        context: AssetExecutionContext, clickhouse: ClickHouseResource
    ) -> MaterializeResult[None]:
        """Too few people give no champion, and no error."""
        started = time.monotonic()
        with clickhouse.client(query_comment(context)) as client:
            found = evaluate(read_watching(client))
            rows = write_evaluation(client, found, context.run.run_id, datetime.now(UTC))
        return MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                **_shown(found),
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    return addiction_models


@asset_check(
    asset=KEY,
    name="groups_are_predicted_alike",
    description=f"No gender or age group is predicted more than {MOST_BIAS:g} point off on average",
)
def groups_are_predicted_alike(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """A warning: who uses the predictions must know of it."""
    with clickhouse.client(check_comment(context, KEY)) as client:
        rows = client.query(
            f"SELECT by, group, users, bias FROM {GROUPS.name}\n"
            "WHERE abs(bias) > {most:Float64} ORDER BY abs(bias) DESC",
            parameters={"most": MOST_BIAS},
        ).result_rows
    wrong = [
        f"{by} {group}: {bias:+.2f} points ({users} people)" for by, group, users, bias in rows
    ]
    return AssetCheckResult(
        passed=not wrong,
        severity=AssetCheckSeverity.WARN,
        description="; ".join(wrong) or None,
        metadata={"groups": len(wrong), **({"biased": listed(wrong)} if wrong else {})},
    )


prediction_checks: list[AssetChecksDefinition] = [groups_are_predicted_alike]


def _shown(found: RatingEvaluation) -> dict[str, MetadataValue]:
    shown: dict[str, MetadataValue] = {
        "people": MetadataValue.int(found.users),
        "rows_read": MetadataValue.int(found.rows),
        "champion": MetadataValue.text(found.champion or "none"),
        "reason": MetadataValue.text(found.reason),
    }
    if not found.models:
        return shown
    models = [
        {
            "model": each.model,
            "mae": f"{each.mae:.3f}",
            "rmse": f"{each.rmse:.3f}",
            "gain over the mean": f"{each.over_mean.mean:+.3f}"
            f" [{each.over_mean.low:+.3f}, {each.over_mean.high:+.3f}]",
        }
        for each in found.models
    ]
    groups = [
        {
            "group": f"{each.by} {each.group}",
            "people": str(each.users),
            "mae": f"{each.mae:.3f}",
            "bias": f"{each.bias:+.3f}",
        }
        for each in found.groups
    ]
    return {
        **shown,
        "models": _table(models),
        **({"groups": _table(groups)} if groups else {}),
        "importance": _importance_plot(found),
        "calibration": _calibration_plot(found),
    }


def _table(rows: list[dict[str, str]]) -> MetadataValue:
    schema = TableSchema([TableColumn(name) for name in rows[0]])
    return MetadataValue.table([TableRecord(dict(row)) for row in rows], schema)


def _importance_plot(found: RatingEvaluation) -> MetadataValue:
    figure, axes = new_figure()
    columns = list(found.importance)[:_SHOWN_COLUMNS][::-1]
    axes.barh(columns, [found.importance[name] for name in columns])
    axes.set(title=f"What {found.leader} goes by", xlabel="growth of the squared error if shuffled")
    return picture(figure, "importance of columns by permutation")


def _calibration_plot(found: RatingEvaluation) -> MetadataValue:
    figure, axes = new_figure()
    predicted = [each.predicted for each in found.calibration]
    ends = [min(predicted), max(predicted)]
    axes.plot(ends, ends, color="gray", linestyle="--", label="predicted = rated")
    axes.plot(predicted, [each.rated for each in found.calibration], marker="o")
    axes.set(title=f"Calibration of {found.leader}", xlabel="predicted", ylabel="rated (mean)")
    axes.legend()
    return picture(figure, "what people said, by tenths of the prediction")
