"""The job that looks whether the topics are drained, and the schedule that asks for it.

Here belongs when the checks of the topics run by themselves: drains come and go without checks, and
nobody would learn of a lag that only grows.
"""

from __future__ import annotations

from functools import cache

from dagster import AssetCheckKey, AssetKey, AssetSelection, ScheduleDefinition, define_asset_job

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.topic_checks import NO_RANGE_WAS_LOST, TOPIC_IS_DRAINED

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
