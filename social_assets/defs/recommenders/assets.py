"""`recsys/*`: from the star schema to a published model and the recommendations that it serves.

Belongs here: what each asset reads, writes and reports; the rest is in `social_assets.recommend`,
models and metrics are in `recsys`.

The matrix is made once a day, by the schedule that trains or by the condition at the same hour. The
assets behind it follow at once. The matrix does not follow the facts, which change all the time
while events stream in; between two trainings only the lists of users follow them, hourly.
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
    AssetSelection,
    AutomationCondition,
    Config,
    Failure,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.engagement_events import HALF_LIFE, METRIC_WEIGHTS
from social_assets.contracts.video_interactions import WATCHED_WEIGHT
from social_assets.defs.recommenders import checks as champion_checks
from social_assets.defs.recommenders.models import (
    AT_ONCE,
    OWNERS,
    als,
    daily_candidates,
    popularity,
    requested_candidates,
    rounded,
    size_metadata,
    weekly_candidates,
)
from social_assets.defs.recommenders.plots import activity_plot, item_age_plot, recall_plot
from social_assets.defs.recommenders.reporting import (
    failures_without_retry,
    table_schema,
    version_of,
)
from social_assets.defs.recommenders.tuning import tuning
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
    required_champion,
)
from social_assets.recommend.folders import (
    candidates,
    champions_root,
    matrices,
    size_of,
)
from social_assets.recommend.interactions import (
    FACT,
    Interactions,
    read_interactions,
    read_texts,
    split_interactions,
)
from social_assets.recommend.serving_tables import (
    ServingTable,
    is_of,
    replace_rows,
    rows_of_table,
    size_of_table,
)
from social_assets.recommend.similar_items import (
    SIMILAR_ITEMS,
    SIMILAR_ITEMS_AN_ITEM,
    similar_items_of,
)
from social_assets.recommend.top_n import ITEMS_A_USER, TABLE, TOP_N, refresh_top_n

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from recsys import LoadedModel

DAILY_AT_FOUR = AutomationCondition.on_cron("0 4 * * *")
_HALF_PAST: AutomationCondition[Any] = AutomationCondition.cron_tick_passed("30 * * * *")
HOURLY_AFTER_FACTS = (
    _HALF_PAST.since_last_handled()
    & AutomationCondition.any_deps_updated().since_last_handled()
    & ~AutomationCondition.missing()
    & ~AutomationCondition.in_progress()
).with_label("hourly, if facts came")
"""Hourly after the facts, once there is a champion: without one, nothing can be served."""

_NOW_AND_THEN = [*weekly_candidates, *requested_candidates]

_STAR = [["star", table] for table in ("fact_engagement", "dim_user", "dim_post")]
_FACTS = AssetSelection.assets(*_STAR)
_EVERY_DAY = [AssetDep(table, partition_mapping=AllPartitionMapping()) for table in _STAR]
_VIDEO_STAR = [["star", table] for table in ("fact_video_interactions", "dim_video")]
_AS_ASKED = [AssetDep(table, partition_mapping=AllPartitionMapping()) for table in _VIDEO_STAR]


class WindowConfig(Config):
    """The window of the matrix."""

    window_days: int = Field(
        default=180,
        gt=0,
        description="Days of events to learn from, counted back from the newest. Older ones would"
        f" weigh less than a thousandth, with a half-life of {HALF_LIFE.days} days",
    )
    videos: bool = Field(
        default=recsys_videos.BY_DEFAULT,
        description="Whether videos are items beside posts, with ids such as"
        f" `{recsys_videos.ITEM_PREFIX}12`, by how much of them a user watched: the lists that are"
        f" served then have both. For every run: {recsys_videos.VARIABLE}=1",
    )


@asset(
    key=["recsys", "interaction_matrix"],
    group_name="recsys",
    deps=[*_EVERY_DAY, *_AS_ASKED],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=DAILY_AT_FOUR.ignore(AssetSelection.assets(*_VIDEO_STAR)),
    description=(
        "What each user's reactions to each post weigh, by kind of reaction and age: users x posts,"
        " cut in time into what models learn from and what they are evaluated by"
    ),
    metadata={
        "metric_weights": dict(METRIC_WEIGHTS),
        "half_life_days": HALF_LIFE.days,
        "weight_of_a_watched_video": WATCHED_WEIGHT,
    },
)
@failures_without_retry()
def interaction_matrix(
    context: AssetExecutionContext, config: WindowConfig, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Made by one query, which weighs and sums; no loop over events."""
    started = time.monotonic()
    with clickhouse.client(_comment(context)) as client:
        rows = read_interactions(client, config.window_days, config.videos)
        texts = read_texts(client, config.window_days)
    read = time.monotonic()
    interactions = split_interactions(rows, texts, version_of(context), config.videos)
    folder = matrices().folder(interactions.version)
    interactions.save(folder)
    matrices().make_current(interactions.version)
    window = interactions.window
    return MaterializeResult(
        metadata={
            **size_metadata(interactions),
            "events": window.events,
            "train_interactions": interactions.train.csr.nnz,
            "test_interactions": interactions.test.csr.nnz,
            "test_repeated_pairs": window.repeated_pairs,
            "test_rows_of_new_users": window.new_user_rows,
            "test_rows_of_new_posts": window.new_item_rows,
            "events_without_dimension": window.unresolved_events,
            "query_seconds": rounded(read - started),
            "seconds": rounded(time.monotonic() - started),
            "bytes": size_of(folder),
            "artifact": MetadataValue.path(folder),
        }
    )


@asset(
    key=["recsys", CHALLENGER],
    group_name="recsys",
    deps=[interaction_matrix, popularity, als, *daily_candidates, *_NOW_AND_THEN],
    owners=OWNERS,
    kinds={"python", "numpy"},
    automation_condition=AT_ONCE.ignore(AssetSelection.assets(*_NOW_AND_THEN)),
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
    description=(
        "The model that serves: the admitted challenger's recipe, fitted on all data and published"
        " as an artifact that `recsys.load` reads. Where none is admitted it stays as it is;"
        " `social-assets recsys rollback` goes back"
    ),
)
@failures_without_retry()
def champion(context: AssetExecutionContext) -> MaterializeResult[None]:
    """Checks the rules of admission itself, because it may be materialized without the checks."""
    from recsys import publish
    from recsys.registry.deployment_history import promote_model

    started = time.monotonic()
    before = champion_manifest()
    candidate, baseline = current_candidate(CHALLENGER), current_candidate(POPULARITY)
    interactions = items_for(candidate.model, matrix_of(candidate))
    admissions = (
        beats_popularity(candidate, baseline),
        keeps_up_with(before, candidate),
    )
    for admission in admissions:
        if not admission.passed:
            raise Failure(f"the champion stays: {admission.reason}", allow_retries=False)
    figures = {name: value for admission in admissions for name, value in admission.figures.items()}
    window, whole = interactions.window, interactions.whole
    model = model_for(candidate.model, candidate.parameters, interactions, whole).fit(whole.csr)
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


@asset(
    key=["recsys", "top_n"],
    group_name="recsys",
    deps=[champion, *_EVERY_DAY],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=AT_ONCE.ignore(_FACTS) | HOURLY_AFTER_FACTS,
    pool="recsys_top_n",
    description=(
        f"The {ITEMS_A_USER} best posts for each user, of those not engaged with yet. Everyone's"
        " after a new champion; each hour those of users whose reactions changed"
    ),
    metadata={
        "dagster/table_name": TABLE,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(TOP_N),
    },
)
@failures_without_retry()
def top_n(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled in a staging table, which is then swapped with the table in one step."""
    import recsys

    started = time.monotonic()
    model = recsys.load(required_champion())
    with clickhouse.client(_comment(context)) as client:
        found = refresh_top_n(client, model, version_of(context), datetime.now(UTC))
        served = _served(client, TOP_N, model, started)
    counts = {"users_ranked": found.ranked, "users_kept": found.kept, "users_gone": found.gone}
    return MaterializeResult(metadata={**served, **counts})


@asset(
    key=["recsys", "similar_items"],
    group_name="recsys",
    deps=[champion],
    owners=OWNERS,
    kinds={"clickhouse", "numpy"},
    automation_condition=AT_ONCE,
    pool="recsys_similar_items",
    description=f"The {SIMILAR_ITEMS_AN_ITEM} posts most like each post, by the champion",
    metadata={
        "dagster/table_name": SIMILAR_ITEMS.name,
        "dagster/storage_kind": "clickhouse",
        "dagster/column_schema": table_schema(SIMILAR_ITEMS),
    },
)
@failures_without_retry()
def similar_items(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Filled in a staging table, then swapped in one step; not changed if it is up to date."""
    import recsys

    started = time.monotonic()
    model = recsys.load(required_champion())
    with clickhouse.client(_comment(context)) as client:
        anew = not is_of(client, SIMILAR_ITEMS, model)
        if anew:
            alike, run = similar_items_of(model), version_of(context)
            replace_rows(client, SIMILAR_ITEMS, alike, model, run, datetime.now(UTC))
        served = _served(client, SIMILAR_ITEMS, model, started)
    return MaterializeResult(metadata={**served, "items_ranked": served["items"] * anew})


assets: list[AssetsDefinition] = [
    interaction_matrix,
    popularity,
    als,
    *daily_candidates,
    *_NOW_AND_THEN,
    challenger,
    champion,
    top_n,
    similar_items,
    tuning,
]
EVERY_DAY = [asset.key for asset in assets if asset not in (*_NOW_AND_THEN, tuning)]
"""What schedule and demo train: not tuning, nor the models of `WEEKLY` and `ON_REQUEST`."""
ON_REQUEST = [asset.key for asset in requested_candidates]
"""The assets that are made only on request."""
checks = champion_checks.checks


def _served(
    client: "Client", table: ServingTable, model: "LoadedModel", started: float
) -> dict[str, Any]:
    """The metadata of a serving table."""
    return {
        "dagster/row_count": rows_of_table(client, table),
        "users": model.manifest["users"],
        "items": model.manifest["items"],
        "model": model.manifest["model"],
        "model_version": model.manifest["version"],
        "data_window": " to ".join(model.manifest["data_window"]),
        "seconds": rounded(time.monotonic() - started),
        "bytes": size_of_table(client, table),
    }


def _comment(context: AssetExecutionContext) -> str:
    return f"{context.run.run_id} {context.asset_key.to_user_string()}"
