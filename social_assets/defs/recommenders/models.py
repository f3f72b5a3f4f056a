"""The models as assets: each fitted before the cut and evaluated after it, on one matrix.

Belongs here: what a candidate's asset reads, writes and reports. The list of models is in
`recommend.candidates`; `promotion` decides which of them serves.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AutomationCondition,
    Config,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from social_assets.contracts.engagement_events import CONTRACT
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.recommend.candidates import (
    ALS,
    DAILY,
    DECIDING_METRIC,
    DEEP,
    ON_REQUEST,
    POPULARITY,
    WEEKLY,
    Candidate,
    candidate_model,
    deep_is_installed,
    default_parameters,
    evaluate_model,
    metrics_table,
)
from social_assets.recommend.folders import Versions, candidates, matrices, size_of
from social_assets.recommend.interactions import Interactions

if TYPE_CHECKING:
    from recsys.recommender import ScorerRecommender

OWNERS = [CONTRACT.owner]
WEEKLY_ON_SUNDAY = AutomationCondition.on_cron("0 5 * * 0")
AT_ONCE = AutomationCondition.eager() & AutomationCondition.all_deps_blocking_checks_passed()
SPARK = "pyspark"
"""The resource that holds Spark's session."""
MATRIX = ["recsys", "interaction_matrix"]


class ModelConfig(Config):
    """The parameters of a model that differ from its defaults."""

    parameters: dict[str, Any] = Field(
        default={}, description="By name, as the model's class in `recsys.models` explains them"
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

    def over(self, tuned: Mapping[str, Any]) -> dict[str, Any]:
        """All parameters: those given here, or else those found by tuning, or else the defaults."""
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        asked = {
            name: value for name, value in self.model_dump().items() if value != defaults[name]
        }
        return {**defaults, **tuned, **asked}


@asset(
    key=["recsys", POPULARITY],
    group_name="recsys",
    deps=[MATRIX],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=AT_ONCE,
    description="The baseline that models must beat: everyone is offered what most people have",
)
@failures_without_retry()
def popularity(context: AssetExecutionContext) -> MaterializeResult[None]:
    """The baseline, evaluated on the same split as the models."""
    interactions = Interactions.load(matrices().required())
    return _evaluated(context, candidate_model(POPULARITY, {}, interactions), interactions)


@asset(
    key=["recsys", ALS],
    group_name="recsys",
    deps=[MATRIX],
    owners=OWNERS,
    kinds={"python", "implicit"},
    automation_condition=AT_ONCE,
    description="Tastes as factors of users and posts, by alternating least squares: a candidate",
)
@failures_without_retry()
def als(context: AssetExecutionContext, config: AlsConfig) -> MaterializeResult[None]:
    """ALS, fitted before the cut, evaluated after it; its checks decide if it may be promoted."""
    interactions = Interactions.load(matrices().required())
    parameters = config.over(default_parameters(ALS))
    if parameters["regularization"] is None:
        del parameters["regularization"]
    return _evaluated(context, candidate_model(ALS, parameters, interactions), interactions)


def candidate_asset(name: str, condition: AutomationCondition[Any] | None) -> AssetsDefinition:
    """The asset of one more model, which is fitted before the cut and evaluated after it."""

    @asset(
        key=["recsys", name],
        group_name="recsys",
        deps=[MATRIX],
        owners=OWNERS,
        kinds={"python", "numpy"},
        automation_condition=condition,
        required_resource_keys={SPARK} if name in ON_REQUEST else set(),
        description=f"The model {name} of `recsys.models`: a candidate, as it did after the cut",
    )
    @failures_without_retry()
    def candidate(context: AssetExecutionContext, config: ModelConfig) -> MaterializeResult[None]:
        interactions = Interactions.load(matrices().required())
        model = candidate_model(
            name, {**default_parameters(name), **config.parameters}, interactions
        )
        start_spark(context, name)
        return _evaluated(context, model, interactions)

    return candidate


def start_spark(context: AssetExecutionContext, model: str) -> None:
    """Start the session of the run if the model is trained by Spark, which finds it by itself.

    Raises SparkMissingError without the extra `spark` or Java.
    """
    if model not in ON_REQUEST:
        return
    from recsys.models.spark_als import require_spark

    require_spark()
    session = getattr(context.resources, SPARK).spark_session
    context.log.info(f"Spark {session.version} runs {model} at {session.sparkContext.master}")


daily_candidates = [candidate_asset(name, AT_ONCE) for name in DAILY]
weekly_candidates = [candidate_asset(name, WEEKLY_ON_SUNDAY) for name in WEEKLY]
_with_deep = deep_is_installed()
deep_candidates = [candidate_asset(name, WEEKLY_ON_SUNDAY if _with_deep else None) for name in DEEP]
distributed_candidates = [candidate_asset(name, None) for name in ON_REQUEST]
requested_candidates = [*([] if _with_deep else deep_candidates), *distributed_candidates]
"""Those whose packages may not be there: made only if requested by name."""


def _evaluated(
    context: AssetExecutionContext, model: "ScorerRecommender", interactions: Interactions
) -> MaterializeResult[None]:
    """Evaluate a model, save the record, and report the result."""
    candidate = evaluate_model(version_of(context), model, interactions)
    kept = candidates(model.name)
    candidate.save(kept.folder(candidate.version))
    kept.make_current(candidate.version)
    return MaterializeResult(metadata=_record(candidate, interactions, kept))


def _record(candidate: Candidate, interactions: Interactions, kept: Versions) -> dict[str, Any]:
    evaluation = candidate.evaluation
    folder = kept.folder(candidate.version)
    return {
        **size_metadata(interactions),
        "metrics": MetadataValue.md(metrics_table(evaluation.metrics)),
        DECIDING_METRIC: evaluation.metrics[DECIDING_METRIC],
        "users_evaluated": len(evaluation.user_indices),
        "parameters": MetadataValue.json(dict(candidate.parameters)),
        "matrix_version": candidate.matrix_version,
        "fit_seconds": rounded(candidate.fit_seconds),
        "seconds": rounded(candidate.fit_seconds + candidate.evaluate_seconds),
        "bytes": size_of(folder),
        "artifact": MetadataValue.path(folder),
    }


def size_metadata(interactions: Interactions) -> dict[str, Any]:
    """The size of the training data."""
    users, items = interactions.whole.csr.shape
    return {
        "users": users,
        "items": items,
        "interactions": interactions.whole.csr.nnz,
        "data_window": str(interactions.window),
    }


def rounded(seconds: float) -> float:
    """Rounded for people."""
    return round(seconds, 3)


NOT_DAILY = [*weekly_candidates, *deep_candidates, *distributed_candidates]
"""Models that the daily schedule does not train."""
