"""The checks of the recommenders: which candidate may be promoted, and whether a table is complete.

Belongs here: what is checked, and the figures shown. The rules of admission are in
`social_assets.recommend.candidates`, because the champion checks them too if it is materialized
without these checks.
"""

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    MetadataValue,
    asset_check,
)

from resources.clickhouse.resource import ClickHouseResource
from social_assets.defs.recommenders.reporting import admission_metadata
from social_assets.recommend.candidates import (
    CHALLENGER,
    POPULARITY,
    beats_popularity,
    champion_manifest,
    current_candidate,
    keeps_up_with,
)
from social_assets.recommend.experiments.admission import admitted_by_experiment
from social_assets.recommend.interactions import POSTS
from social_assets.recommend.top_n import ITEMS_A_USER, TABLE
from social_assets.recommend.videos import KNOWN_VIDEOS, VIDEO_FACT

_TOP_N = ["recsys", "top_n"]
_CHALLENGER = ["recsys", CHALLENGER]


@asset_check(
    asset=_CHALLENGER,
    name="beats_popularity",
    blocking=True,
    additional_deps=[["recsys", POPULARITY]],
    description="The 95 % interval of its gain in NDCG@10 over popularity lies above zero",
)
def beats_popularity_check() -> AssetCheckResult:
    """The model has learned tastes, and not only what is popular."""
    admission = beats_popularity(current_candidate(CHALLENGER), current_candidate(POPULARITY))
    return AssetCheckResult(
        passed=admission.passed,
        description=admission.reason,
        metadata=admission_metadata(admission),
    )


@asset_check(
    asset=_CHALLENGER,
    name="keeps_up_with_champion",
    blocking=True,
    description="NDCG@10 is not below that of the champion's recipe on the same split",
)
def keeps_up_with_champion() -> AssetCheckResult:
    """A worse model is not promoted."""
    admission = keeps_up_with(champion_manifest(), current_candidate(CHALLENGER))
    return AssetCheckResult(
        passed=admission.passed,
        description=admission.reason,
        metadata=admission_metadata(admission),
    )


@asset_check(
    asset=_CHALLENGER,
    name="is_shipped_by_its_experiment",
    blocking=True,
    description="An experiment that compares the model ships it; passes if none compares it",
)
def is_shipped_by_its_experiment(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """What people do decides over what was computed offline."""
    admission = admitted_by_experiment(
        current_candidate(CHALLENGER).model,
        lambda: clickhouse.client(f"{context.run.run_id} check recsys/{CHALLENGER}"),
    )
    return AssetCheckResult(passed=admission.passed, description=admission.reason)


@asset_check(
    asset=_TOP_N,
    name="one_row_a_user_and_rank",
    description=f"Each user has the ranks 1, 2 ... once each, and at most {ITEMS_A_USER}",
)
def one_row_a_user_and_rank(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """No list has a rank twice, a gap, or more ranks than allowed."""
    with clickhouse.client(_comment(context)) as client:
        [(users, rows, broken, example)] = client.query(
            "SELECT count(), sum(places), countIf(is_broken), anyIf(user_id, is_broken)\n"
            "FROM (\n"
            "  SELECT user_id, count() AS places,\n"
            "    arraySort(groupArray(rank)) != range(1, places + 1)\n"
            "      OR places > {most:UInt16} AS is_broken\n"
            f"  FROM {TABLE} GROUP BY user_id\n"
            ")",
            parameters={"most": ITEMS_A_USER},
        ).result_rows
    metadata: dict[str, MetadataValue] = {
        "users": MetadataValue.int(users),
        "rows": MetadataValue.int(rows),
        "users_with_broken_lists": MetadataValue.int(broken),
    }
    if broken:
        metadata["for_example"] = MetadataValue.text(example)
    return AssetCheckResult(passed=users > 0 and broken == 0, metadata=metadata)


@asset_check(
    asset=_TOP_N,
    name="items_are_known",
    additional_deps=[["star", "dim_post"]],
    description="Every recommended post is in star.dim_post, every video in star.dim_video",
)
def items_are_known(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """No recommended post is unknown."""
    manifest = champion_manifest()
    has_videos = manifest is not None and VIDEO_FACT in manifest["watermarks"]
    known = f"SELECT post_id FROM {POSTS}" + (f" UNION ALL {KNOWN_VIDEOS}" if has_videos else "")
    with clickhouse.client(_comment(context)) as client:
        [(items, unknown, example)] = client.query(
            "SELECT count(), countIf(is_unknown), anyIf(item_id, is_unknown)\n"
            "FROM (\n"
            f"  SELECT DISTINCT item_id, item_id NOT IN ({known}) AS is_unknown\n"
            f"  FROM {TABLE}\n"
            ")"
        ).result_rows
    metadata: dict[str, MetadataValue] = {
        "items": MetadataValue.int(items),
        "unknown_items": MetadataValue.int(unknown),
    }
    if unknown:
        metadata["for_example"] = MetadataValue.text(example)
    return AssetCheckResult(passed=unknown == 0, metadata=metadata)


@asset_check(
    asset=_TOP_N,
    name="is_of_the_champion",
    additional_deps=[["recsys", "champion"]],
    description="Every row was computed by the current champion",
)
def is_of_the_champion(
    context: AssetCheckExecutionContext, clickhouse: ClickHouseResource
) -> AssetCheckResult:
    """The served rows are by the admitted champion."""
    with clickhouse.client(_comment(context)) as client:
        served = client.query(
            f"SELECT DISTINCT model, model_version FROM {TABLE} ORDER BY ALL"
        ).result_rows
    manifest = champion_manifest()
    champion = (manifest["model"], manifest["version"]) if manifest else None
    return AssetCheckResult(
        passed=[tuple(row) for row in served] == [champion],
        metadata={
            "served": MetadataValue.text(", ".join(f"{m} {v}" for m, v in served) or "nothing"),
            "champion": MetadataValue.text(" ".join(champion) if champion else "none yet"),
        },
    )


checks: list[AssetChecksDefinition] = [
    beats_popularity_check,
    keeps_up_with_champion,
    is_shipped_by_its_experiment,
    one_row_a_user_and_rank,
    items_are_known,
    is_of_the_champion,
]


def _comment(context: AssetCheckExecutionContext) -> str:
    return f"{context.run.run_id} check recsys/top_n"
