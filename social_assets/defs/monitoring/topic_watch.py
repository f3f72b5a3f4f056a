"""The job that checks if the topics are drained, and its schedule.

Belongs here: when the checks of the topics run alone. Drains do not run them, so nobody would
notice a growing lag.
"""

from __future__ import annotations

from functools import cache

from dagster import AssetCheckKey, AssetKey, AssetSelection, ScheduleDefinition, define_asset_job

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.topic_checks import NO_RANGE_WAS_LOST, TOPIC_IS_DRAINED

CHECK_TOPICS = "check_topics"


@cache
def check_topics() -> UnresolvedAssetJobDefinition:
    """The job."""
    return define_asset_job(
        CHECK_TOPICS,
        selection=AssetSelection.checks(
            *(
                AssetCheckKey(AssetKey(["raw", contract.name]), name)
                for contract in contracts()
                for name in (TOPIC_IS_DRAINED, NO_RANGE_WAS_LOST)
            )
        ),
        description=(
            "Compare the ends of all topics with the lake, and look for ranges that were lost"
        ),
    )


def topics_every_ten_minutes() -> ScheduleDefinition:
    """The schedule; it starts switched off."""
    return ScheduleDefinition(
        name="topics_every_ten_minutes", job=check_topics(), cron_schedule="*/10 * * * *"
    )
