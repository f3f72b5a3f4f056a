"""`recsys/challenger` and `recsys/champion`: which candidate becomes the model that serves.

Belongs here: what both assets read, write and report. The rules of admission are in
`social_assets.recommend.candidates`, publishing and the deployment history in `recsys.registry`.
"""

import time
from importlib.metadata import version as installed_version

from dagster import (
    AssetExecutionContext,
    AssetSelection,
    Failure,
    MaterializeResult,
    MetadataValue,
    asset,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.recommenders.matrix import interaction_matrix
from social_assets.defs.recommenders.models import (
    AT_ONCE,
    NOT_DAILY,
    OWNERS,
    SPARK,
    als,
    daily_candidates,
    popularity,
    rounded,
    size_metadata,
    start_spark,
)
from social_assets.defs.recommenders.plots import activity_plot, item_age_plot, recall_plot
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.defs.reporting import query_comment
from social_assets.recommend import videos as recsys_videos
from social_assets.recommend.candidates import (
    ALS,
    CHALLENGER,
    DECIDING_METRIC,
    POPULARITY,
    Candidate,
    beats_popularity,
    candidates_table,
    champion_manifest,
    current_candidate,
    evaluated_on,
    items_for,
    keeps_up_with,
    matrix_of,
    metrics_table,
    model_for,
)
from social_assets.recommend.experiments.admission import admitted_by_experiment
from social_assets.recommend.folders import (
    candidates,
    champions_root,
    matrices,
    size_of,
)
from social_assets.recommend.interactions import (
    FACT,
    Interactions,
)

_CLICKHOUSE = "clickhouse"


@asset(
    key=["recsys", CHALLENGER],
    group_name="recsys",
    deps=[interaction_matrix, popularity, als, *daily_candidates, *NOT_DAILY],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=AT_ONCE.ignore(AssetSelection.assets(*NOT_DAILY)),
    description=(
        "The best of all candidates evaluated on the present matrix, by"
        f" {DECIDING_METRIC}. Its blocking checks decide whether it may become champion"
    ),
)
@failures_without_retry()
def challenger(context: AssetExecutionContext) -> MaterializeResult[None]:
    """The best of the candidates that were evaluated on this matrix."""
    interactions = Interactions.load(matrices().required())
    evaluated = evaluated_on(interactions.version)
    if not evaluated:
        raise Failure(
            f"no candidate was evaluated on matrix {interactions.version}: materialize"
            f" recsys/{ALS} or another candidate first",
            allow_retries=False,
        )
    best, kept = evaluated[0], candidates(CHALLENGER)
    version = version_of(context)
    best.save(kept.folder(version))
    kept.make_current(version)
    baseline = Candidate.load(candidates(POPULARITY).required())
    return MaterializeResult(
        metadata={
            "model": best.model,
            DECIDING_METRIC: best.evaluation.metrics[DECIDING_METRIC],
            "parameters": MetadataValue.json(dict(best.parameters)),
            "candidates": MetadataValue.md(candidates_table([*evaluated, baseline], baseline)),
            "recall_by_length": recall_plot([*evaluated, baseline]),
            "by_activity": activity_plot(best, interactions.train),
            "by_item_age": item_age_plot(best, items_for(best.model, interactions).ages),
            "matrix_version": interactions.version,
        }
    )


@asset(
    key=["recsys", "champion"],
    group_name="recsys",
    deps=[interaction_matrix, challenger, popularity],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=AT_ONCE,
    required_resource_keys={SPARK, _CLICKHOUSE},
    description=(
        "The model that serves: the admitted challenger's recipe, fitted on all data and published"
        " as an artifact that `recsys.load` reads. Where none is admitted it stays as it is. A"
        " model that an experiment compares is admitted if the experiment ships it;"
        " `social-assets recsys rollback` goes back"
    ),
)
@failures_without_retry()
def champion(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Checks the rules of admission itself, because it may be materialized without the checks."""
    from recsys import publish
    from recsys.registry.deployment_history import promote_model
    from social_assets.lake.artifacts.home_copy import publishing

    started = time.monotonic()
    clickhouse: ClickHouseResource = context.resources.clickhouse
    before = champion_manifest()
    candidate, baseline = current_candidate(CHALLENGER), current_candidate(POPULARITY)
    interactions = items_for(candidate.model, matrix_of(candidate))
    admissions = (
        beats_popularity(candidate, baseline),
        keeps_up_with(before, candidate),
        admitted_by_experiment(candidate.model, lambda: clickhouse.client(query_comment(context))),
    )
    for admission in admissions:
        if not admission.passed:
            raise Failure(f"the champion stays: {admission.reason}", allow_retries=False)
    figures = {name: value for admission in admissions for name, value in admission.figures.items()}
    window, whole = interactions.window, interactions.whole
    start_spark(context, candidate.model)
    model = model_for(candidate.model, candidate.parameters, interactions, whole)
    model.fit(whole.csr, whole.times)
    with publishing(champions_root()):
        folder = publish(
            model,
            whole,
            champions_root(),
            version=version_of(context),
            metrics={**candidate.evaluation.metrics, **figures},
            data_window=(window.start, window.end),
            watermarks={
                fact: {"newest_event": window.newest_event.isoformat()}
                for fact in (FACT, *([recsys_videos.VIDEO_FACT] if window.videos else []))
            },
            code_version=installed_version("social-assets"),
            make_current=False,
        )
        promote_model(folder)
    return MaterializeResult(
        metadata={
            **size_metadata(interactions),
            "model": model.name,
            "version": folder.name,
            "replaced": f"{before['model']} {before['version']}" if before else "none",
            "decision": MetadataValue.md(
                "\n".join(f"- {admission.reason}" for admission in admissions)
            ),
            "metrics": MetadataValue.md(metrics_table(candidate.evaluation.metrics)),
            **figures,
            "seconds": rounded(time.monotonic() - started),
            "bytes": size_of(folder),
            "artifact": MetadataValue.path(folder),
        }
    )
