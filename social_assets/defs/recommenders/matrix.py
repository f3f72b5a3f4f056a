"""`recsys/interaction_matrix`: what each user's reactions to each post weigh.

Belongs here: the asset, its window, and the tables of the star schema that recommenders read. The
query and the split in time are in `social_assets.recommend.interactions`.

The matrix is made once a day, by the schedule that trains or by the condition at the same hour. The
assets behind it follow at once. The matrix does not follow the facts, which change all the time
while events stream in.
"""

import time
from typing import TYPE_CHECKING

from dagster import (
    AllPartitionMapping,
    AssetDep,
    AssetExecutionContext,
    AssetSelection,
    AutomationCondition,
    Config,
    MaterializeResult,
    MetadataValue,
    asset,
)
from pydantic import Field

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.engagement_events import HALF_LIFE, METRIC_WEIGHTS
from social_assets.contracts.video_interactions import WATCHED_WEIGHT
from social_assets.defs.recommenders.models import (
    OWNERS,
    rounded,
    size_metadata,
)
from social_assets.defs.recommenders.reporting import failures_without_retry, version_of
from social_assets.defs.reporting import query_comment
from social_assets.recommend import videos as recsys_videos
from social_assets.recommend.folders import (
    matrices,
    size_of,
)
from social_assets.recommend.interactions import (
    query_interactions,
    read_texts,
    split_interactions,
)

if TYPE_CHECKING:
    pass

DAILY_AT_FOUR = AutomationCondition.on_cron("0 4 * * *")


_STAR = [["star", table] for table in ("fact_engagement", "dim_user", "dim_post")]
FACTS = AssetSelection.assets(*_STAR)
STAR_DAYS = [AssetDep(table, partition_mapping=AllPartitionMapping()) for table in _STAR]
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
    deps=[*STAR_DAYS, *_AS_ASKED],
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
    with clickhouse.client(query_comment(context)) as client:
        rows = query_interactions(client, config.window_days, config.videos)
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
