"""The job that checks if topics are drained and replication slots are read, and its schedule.

Belongs here: when these checks run alone. Drains do not run them, so nobody would notice a growing
lag.
"""

from __future__ import annotations

from functools import cache

from dagster import AssetCheckKey, AssetKey, AssetSelection, ScheduleDefinition, define_asset_job

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.slot_checks import SLOT_IS_READ
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
                for name in _names(contract)
            )
        ),
        description=(
            "Compare the ends of all topics with the lake, look for ranges that were lost, and at "
            "the replication slots of captured databases"
        ),
    )


def _names(contract: Contract) -> tuple[str, ...]:
    """The checks of a stream that run alone."""
    of_changes = (SLOT_IS_READ,) if contract.capture else ()
    return (TOPIC_IS_DRAINED, NO_RANGE_WAS_LOST, *of_changes)


def topics_every_ten_minutes() -> ScheduleDefinition:
    """The schedule; it starts switched off."""
    return ScheduleDefinition(
        name="topics_every_ten_minutes", job=check_topics(), cron_schedule="*/10 * * * *"
    )
