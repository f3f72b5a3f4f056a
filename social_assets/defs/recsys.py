"""`recsys/*`: from the star schema to a published model and the recommendations it serves.

Here belongs what each asset reads, writes and tells. The query stands in `recsys_interactions.py`,
training and admission in `recsys_candidates.py`, the serving table in `recsys_top_n.py`, models and
metrics in the package `recsys`. Another model is another candidate asset here.

The matrix is made once a day, at the hour of the schedule that trains; whichever comes first
counts for both. What follows it follows it at once. It does not follow the facts, which change at
every moment while events stream in.
"""

import time
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetsDefinition,
    AutomationCondition,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from resources.clickhouse import ClickHouseResource
from social_assets.checks import champion as champion_checks
from social_assets.contracts.engagement_events import CONTRACT, HALF_LIFE, METRIC_WEIGHTS
from social_assets.defs.recsys_candidates import (
    ALS,
    DECIDING_METRIC,
    POPULARITY,
    Candidate,
    beats_popularity,
    champion_manifest,
    current_candidate,
    judge,
    keeps_up_with,
    matrix_of,
    metrics_table,
    new_model,
    regularization_for,
)
from social_assets.defs.recsys_folders import (
    Versions,
    candidates,
    champions,
    champions_root,
    matrices,
    size_of,
    version_of,
)
from social_assets.defs.recsys_interactions import (
    FACT,
    Interactions,
    read_interactions,
    split_interactions,
)
from social_assets.defs.recsys_top_n import (
    ITEMS_A_USER,
    TABLE,
    replace_top_n,
    size_of_table,
    table_schema,
)

if TYPE_CHECKING:
    from recsys import FactorRecommender

OWNERS = [CONTRACT.owner]
DAILY_AT_FOUR = AutomationCondition.on_cron("0 4 * * *")
AT_ONCE = AutomationCondition.eager() & AutomationCondition.all_deps_blocking_checks_passed()

_EVERY_DAY = [
    AssetDep(["star", table], partition_mapping=AllPartitionMapping())
    for table in ("fact_engagement", "dim_user", "dim_post")
]


class WindowConfig(Config):
    """What the matrix is made of."""

    window_days: int = Field(
        default=180,
        gt=0,
        description="Days of events to learn from, counted back from the newest. Older ones would"
        f" weigh less than a thousandth, with a half-life of {HALF_LIFE.days} days",
    )


class AlsConfig(Config):
    """The parameters of ALS; see `recsys.ALS`."""

    factors: int = Field(default=64, gt=0, description="Width of the factors")
    regularization: float | None = Field(
        default=None, ge=0, description="Pull towards zero; unless given, by the data's size"
    )
    alpha: float = Field(
        default=10.0, gt=0, description="What an average weight adds to confidence"
    )
    iterations: int = Field(default=15, gt=0, description="Sweeps over users and posts")
    seed: int = Field(default=0, description="The same seed gives the same factors")


@asset(
    key=["recsys", "interaction_matrix"],
    group_name="recsys",
    deps=_EVERY_DAY,
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=DAILY_AT_FOUR,
    description=(
        "What each user's reactions to each post weigh, by kind of reaction and age: users x posts,"
        " cut in time into what models learn from and what they are judged by"
    ),
    metadata={"metric_weights": dict(METRIC_WEIGHTS), "half_life_days": HALF_LIFE.days},
)
def interaction_matrix(
    context: AssetExecutionContext, config: WindowConfig, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """One query, which weighs and sums; nothing loops over events."""
    started = time.monotonic()
    with clickhouse.client(_comment(context)) as client:
        rows = read_interactions(client, config.window_days)
    read = time.monotonic()
    interactions = split_interactions(rows, version_of(context))
    folder = matrices().folder(interactions.version)
    interactions.save(folder)
    matrices().make_current(interactions.version)
    window = interactions.window
    return MaterializeResult(
        metadata={
            **_size(interactions),
            "events": window.events,
            "train_interactions": interactions.train.csr.nnz,
            "test_interactions": interactions.test.csr.nnz,
            "test_repeated_pairs": window.repeated_pairs,
            "test_rows_of_new_users": window.new_user_rows,
            "test_rows_of_new_posts": window.new_item_rows,
            "events_without_dimension": window.unresolved_events,
            "query_seconds": _rounded(read - started),
            "seconds": _rounded(time.monotonic() - started),
            "bytes": size_of(folder),
            "artifact": MetadataValue.path(folder),
        }
    )


@asset(
    key=["recsys", POPULARITY],
    group_name="recsys",
    deps=[interaction_matrix],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=AT_ONCE,
    description="The baseline that models must beat: everyone is offered what most people have",
)
def popularity(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Judged on the same split as the models."""
    interactions = Interactions.load(matrices().required())
    return _judged(context, new_model(POPULARITY, {}), interactions)


@asset(
    key=["recsys", ALS],
    group_name="recsys",
    deps=[interaction_matrix],
    owners=OWNERS,
    kinds={"python", "implicit"},
    automation_condition=AT_ONCE,
    description="Tastes as factors of users and posts, by alternating least squares: a candidate",
)
def als(context: AssetExecutionContext, config: AlsConfig) -> MaterializeResult[None]:
    """Fitted before the cut, judged after it; its checks decide whether it may become champion."""
    interactions = Interactions.load(matrices().required())
    parameters = config.model_dump()
    if config.regularization is None:
        parameters["regularization"] = regularization_for(interactions.train.csr.nnz)
    return _judged(context, new_model(ALS, parameters), interactions)


@asset(
    key=["recsys", "champion"],
    group_name="recsys",
    deps=[interaction_matrix, als, popularity],
    owners=OWNERS,
    kinds={"python", "implicit"},
    automation_condition=AT_ONCE,
    description=(
        "The model that serves: the admitted candidate's recipe, fitted on all data and published"
        " as an artifact that `recsys.load` reads. Where no candidate is admitted it stays as it is"
    ),
)
def champion(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Obeys the rules of admission itself, for it may be materialized without the checks."""
    from recsys import publish

    started = time.monotonic()
    before = champion_manifest()
    candidate, baseline = current_candidate(ALS), current_candidate(POPULARITY)
    interactions = matrix_of(candidate)
    verdicts = (
        beats_popularity(candidate, baseline),
        keeps_up_with(before, candidate),
    )
    for verdict in verdicts:
        if not verdict.passed:
            raise Failure(f"the champion stays: {verdict.reason}", allow_retries=False)
    figures = {name: value for verdict in verdicts for name, value in verdict.figures.items()}
    window = interactions.window
    model = new_model(candidate.model, candidate.parameters).fit(interactions.whole.csr)
    folder = publish(
        model,
        interactions.whole,
        champions_root(),
        version=version_of(context),
        metrics={**candidate.evaluation.metrics, **figures},
        data_window=(window.start, window.end),
        watermarks={FACT: {"newest_event": window.newest_event.isoformat()}},
        code_version=installed_version("social-assets"),
    )
    return MaterializeResult(
        metadata={
            **_size(interactions),
            "model": model.name,
            "version": folder.name,
            "replaced": before["version"] if before else "none",
            "decision": MetadataValue.md("\n".join(f"- {verdict.reason}" for verdict in verdicts)),
            "metrics": MetadataValue.md(metrics_table(candidate.evaluation.metrics)),
            **figures,
            "seconds": _rounded(time.monotonic() - started),
            "bytes": size_of(folder),
            "artifact": MetadataValue.path(folder),
        }
    )


@asset(
    key=["recsys", "top_n"],
    group_name="recsys",
    deps=[champion],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=AT_ONCE,
    pool="recsys_top_n",
    description=f"The {ITEMS_A_USER} best posts for each user, of those not engaged with yet",
    metadata={
        "dagster/table_name": TABLE,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(),
    },
)
def top_n(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled beside the table, then swapped with it in one step."""
    import recsys

    started = time.monotonic()
    model = recsys.load(champions(ALS).required())
    with clickhouse.client(_comment(context)) as client:
        rows = replace_top_n(client, model, version_of(context), datetime.now(UTC))
        size = size_of_table(client)
    return MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "users": model.manifest["users"],
            "items": model.manifest["items"],
            "model": model.manifest["model"],
            "model_version": model.manifest["version"],
            "data_window": " to ".join(model.manifest["data_window"]),
            "seconds": _rounded(time.monotonic() - started),
            "bytes": size,
        }
    )


assets: list[AssetsDefinition] = [interaction_matrix, popularity, als, champion, top_n]
checks = champion_checks.checks


def _judged(
    context: AssetExecutionContext, model: "FactorRecommender", interactions: Interactions
) -> MaterializeResult[None]:
    """Judge a model, keep the record, tell how it did."""
    candidate = judge(version_of(context), model, interactions)
    kept = candidates(model.name)
    candidate.save(kept.folder(candidate.version))
    kept.make_current(candidate.version)
    return MaterializeResult(metadata=_record(candidate, interactions, kept))


def _record(candidate: Candidate, interactions: Interactions, kept: Versions) -> dict[str, Any]:
    evaluation = candidate.evaluation
    folder = kept.folder(candidate.version)
    return {
        **_size(interactions),
        "metrics": MetadataValue.md(metrics_table(evaluation.metrics)),
        DECIDING_METRIC: evaluation.metrics[DECIDING_METRIC],
        "users_judged": len(evaluation.user_indices),
        "parameters": MetadataValue.json(dict(candidate.parameters)),
        "matrix_version": candidate.matrix_version,
        "fit_seconds": _rounded(candidate.fit_seconds),
        "seconds": _rounded(candidate.fit_seconds + candidate.evaluate_seconds),
        "bytes": size_of(folder),
        "artifact": MetadataValue.path(folder),
    }


def _size(interactions: Interactions) -> dict[str, Any]:
    users, items = interactions.whole.csr.shape
    return {
        "users": users,
        "items": items,
        "interactions": interactions.whole.csr.nnz,
        "data_window": str(interactions.window),
    }


def _comment(context: AssetExecutionContext) -> str:
    return f"{context.run.run_id} {context.asset_key.to_user_string()}"


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
