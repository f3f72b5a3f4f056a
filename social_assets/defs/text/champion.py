"""`text/challenger` and `text/champion`: which model scores texts, and the check of it.

Belongs here: when they are made and what is shown. Training, comparison and the rule of promotion
are in `social_assets.transform.text.champion`, the files in `registry` beside it.
"""

import time

from dagster import (
    AllPartitionMapping,
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    MetadataValue,
    asset,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.automation import MAKE_CHANGED_DAYS_EACH_QUARTER, REBUILD_CHANGED_DAYS
from social_assets.defs.text.reporting import (
    comparison_metadata,
    damage_without_retry,
    interval_metadata,
    label_metadata,
)
from social_assets.transform.text.labels import STREAM, LabelSplit, read_labels

CHALLENGER, CHAMPION = AssetKey(["text", "challenger"]), AssetKey(["text", "champion"])
_LABELS = AssetDep(["cleaned", STREAM], partition_mapping=AllPartitionMapping())
_OWNERS = ["team:content"]
_POOL = "text_champion"


@asset(
    key=CHALLENGER,
    group_name="text",
    deps=[_LABELS],
    owners=_OWNERS,
    kinds={"python", "scikitlearn"},
    automation_condition=MAKE_CHANGED_DAYS_EACH_QUARTER,
    pool=_POOL,
    description=(
        "The model `linear`, trained on the labelled texts that are not held out, and compared with"
        " the champion on those that are. With too few labels there is none"
    ),
)
@damage_without_retry()
def challenger(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """The same labels give the same model, so a run that is repeated changes nothing."""
    from social_assets.lake.artifacts.home_copy import publishing
    from social_assets.transform.text import registry
    from social_assets.transform.text.champion import (
        compare,
        evaluated,
        record_of,
        train_challenger,
    )
    from social_assets.transform.text.models.linear import TrainingError

    started = time.monotonic()
    labels, root = _labels(context.run.run_id, CHALLENGER, clickhouse), registry.models_in_force()
    try:
        model = train_challenger(labels)
    except TrainingError as error:
        with publishing(root):
            registry.withdraw_challenger(root)
        context.log.warning(f"no challenger was trained: {error}")
        return MaterializeResult(
            metadata={**label_metadata(labels), "result": f"no challenger: {error}"},
        )
    record = record_of(labels, evaluated(model, labels.held_out).evaluation)
    with publishing(root):
        published = registry.publish(root, model, record)
    comparison = compare(labels, published.model, registry.scoring_model(root))
    return MaterializeResult(
        metadata={
            **label_metadata(labels),
            "result": comparison.decision,
            "model": str(comparison.challenger),
            **comparison_metadata(comparison),
            "features": len(model.buckets),
            "seconds": round(time.monotonic() - started, 3),
            "artifact": MetadataValue.path(published.folder),
        }
    )


@asset(
    key=CHAMPION,
    group_name="text",
    deps=[CHALLENGER, _LABELS],
    owners=_OWNERS,
    kinds={"python", "numpy"},
    automation_condition=REBUILD_CHANGED_DAYS,
    pool=_POOL,
    description=(
        "The model that scores texts: the challenger, if its macro-F1 on the held-out texts is"
        " above the champion's by the whole interval of a paired bootstrap; else the one before."
        " The lexicon, before any was promoted"
    ),
)
@damage_without_retry()
def champion(
    context: AssetExecutionContext, clickhouse: ClickHouseResource
) -> MaterializeResult[None]:
    """Compares itself, because labels and champion may have changed since the challenger's run."""
    from social_assets.lake.artifacts.home_copy import publishing
    from social_assets.transform.text import registry
    from social_assets.transform.text.champion import compare

    root = registry.models_in_force()
    labels = _labels(context.run.run_id, CHAMPION, clickhouse)
    present, found = registry.scoring_model(root), registry.challenger(root)
    lacking = labels.lacking()
    if found is None or lacking:
        reason = lacking or "text/challenger has trained none; its result says why"
        return MaterializeResult(
            metadata={
                **label_metadata(labels),
                "model": f"{present.name} {present.version}",
                "decision": f"no challenger, the champion stays: {reason}",
                "is_promoted": False,
            }
        )
    comparison = compare(labels, found.model, present)
    if comparison.is_won:
        with publishing(root):
            registry.promote(found)
    return MaterializeResult(
        metadata={
            **label_metadata(labels),
            "model": str(comparison.challenger if comparison.is_won else comparison.champion),
            "decision": comparison.decision,
            "is_promoted": comparison.is_won,
            **comparison_metadata(comparison),
            **(
                {"to_do": "backfill text/sentiment: days that are not made again keep their scores"}
                if comparison.is_won
                else {}
            ),
        }
    )


@asset_check(
    asset=CHAMPION,
    name="labels_are_as_right_as_before",
    additional_deps=[_LABELS],
    description=(
        "On the held-out texts of now, the champion's macro-F1 is not below that of its training,"
        " nor below the lexicon's, beyond the 95 % interval. Records the accuracy of the release"
    ),
)
@damage_without_retry()
def labels_are_as_right_as_before(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """Evaluates the files of the champion with the code of this release."""
    from importlib.metadata import version

    from social_assets.quality.text_models import champion_now
    from social_assets.transform.text import registry

    labels = _labels(context.run.run_id, CHAMPION, clickhouse)
    now = champion_now(labels, registry.promoted(registry.models_in_force()))
    release = {"release": MetadataValue.text(version("social-assets"))}
    if now is None:
        return AssetCheckResult(
            passed=True, description="there is no labelled text to evaluate on", metadata=release
        )
    found, figures = now.model.evaluation, {}
    if now.before:
        figures["macro_f1_when_trained"] = MetadataValue.text(str(now.before.macro_f1))
    if now.gain:
        figures["gain_over_lexicon"] = MetadataValue.text(str(now.gain))
    return AssetCheckResult(
        passed=now.is_right,
        metadata={
            **release,
            "model": MetadataValue.text(str(now.model)),
            "texts": MetadataValue.int(found.texts),
            **interval_metadata("accuracy", found.accuracy),
            **interval_metadata("macro_f1", found.macro_f1),
            **figures,
        },
    )


champion_assets: list[AssetsDefinition] = [challenger, champion]
champion_checks: list[AssetChecksDefinition] = [labels_are_as_right_as_before]


def _labels(run: str, asset: AssetKey, clickhouse: ClickHouseResource) -> LabelSplit:
    with clickhouse.client(f"{run} {asset.to_user_string()}") as client:
        return read_labels(client)
