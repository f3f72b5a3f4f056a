"""`recsys/experiment_results`: what came of every declared experiment, each night.

Belongs here: when it is made and what is shown. The analysis is in
`social_assets.recommend.experiments`.
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
    MetadataValue,
    asset,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.experiments.reporting import (
    interval_plots,
    recommendations_text,
    results_metadata,
)
from social_assets.defs.reporting import query_comment, table_schema
from social_assets.metrics.registry import subjects
from social_assets.recommend.experiments.analysis import analyze
from social_assets.recommend.experiments.definition import ExperimentError
from social_assets.recommend.experiments.registry import experiments
from social_assets.recommend.experiments.results_tables import RESULTS, write_analyses

KEY = AssetKey(RESULTS.name.split("."))
_EXPOSURES = AssetKey(["cleaned", "experiment_exposures"])
_EACH_NIGHT = AutomationCondition.cron_tick_passed("30 4 * * *").with_label("each night at 04:30")


@cache
def experiment_results() -> AssetsDefinition:
    """The asset. It is computed anew as a whole, so that late records change the right day."""

    @asset(
        key=KEY,
        group_name="recsys",
        deps=[
            AssetDep(key, partition_mapping=AllPartitionMapping())
            for key in (_EXPOSURES, *_facts())
        ],
        owners=["team:engagement"],
        kinds={"clickhouse", "python"},
        automation_condition=_EACH_NIGHT & ~AutomationCondition.in_progress(),
        pool="experiments",
        description=(
            f"{RESULTS.meaning}, with intervals that hold at every look; and what to do with each"
            " experiment, in recsys.experiments"
        ),
        metadata={
            "dagster/table_name": RESULTS.name,
            "dagster/storage_kind": "clickhouse",
            "dagster/column_schema": table_schema(RESULTS),
        },
    )
    def experiment_results(
        context: AssetExecutionContext, clickhouse: ClickHouseResource
    ) -> MaterializeResult[None]:
        """Sums by unit, variant and day are made in ClickHouse; statistics read only those."""
        started = time.monotonic()
        try:
            declared = experiments()
        except ExperimentError as error:
            raise Failure(str(error), allow_retries=False) from error
        with clickhouse.client(query_comment(context)) as client:
            analyses = [analyze(client, each) for each in declared]
            write_analyses(client, analyses, context.run.run_id, datetime.now(UTC))
        return MaterializeResult(
            metadata={
                "dagster/row_count": sum(len(each.rows) for each in analyses),
                "experiments": len(analyses),
                "recommendations": MetadataValue.md(recommendations_text(analyses)),
                **results_metadata(analyses),
                **interval_plots(analyses),
                "seconds": round(time.monotonic() - started, 3),
            }
        )

    return experiment_results


def _facts() -> list[AssetKey]:
    """The facts of subjects that know their users: what an experiment may measure."""
    known = (each for each in subjects() if any(m.name == "users" for m in each.measures))
    return sorted({AssetKey(source.fact.split(".")) for each in known for source in each.sources})
