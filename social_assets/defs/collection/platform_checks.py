"""Whether each platform is collected in time and can be: checks of `platforms/<platform>`.

Belongs here: the asset checks, the job that runs them and its schedule. Their results are in
`platform_results`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetSelection,
    ScheduleDefinition,
    define_asset_job,
    multi_asset_check,
)

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.defs.collection.platform_assets import platform_key
from social_assets.defs.collection.platform_results import CHECKS, platform_results
from social_assets.ingest.connectors.connector import Connector
from social_assets.ingest.connectors.registry import connectors

CHECK_PLATFORMS = "check_platforms"


def platform_checks(connector: Connector) -> AssetChecksDefinition:
    """The checks of one platform, from one look at the operational store."""
    key = platform_key(connector.platform)

    @multi_asset_check(
        name=f"check_{connector.platform.lower()}",
        specs=[
            AssetCheckSpec(name, asset=key, description=description)
            for name, (description, _) in CHECKS.items()
        ],
    )
    def check() -> Iterator[AssetCheckResult]:
        yield from platform_results(connector)

    return check


@cache
def check_platforms() -> UnresolvedAssetJobDefinition:
    """The job that runs the checks of all platforms."""
    keys = [
        AssetCheckKey(AssetKey(platform_key(connector.platform)), name)
        for connector in connectors()
        for name in CHECKS
    ]
    return define_asset_job(
        CHECK_PLATFORMS,
        selection=AssetSelection.checks(*keys),
        description="Look for late collections, paused accounts, used quotas, ending credentials",
    )


def platforms_every_ten_minutes() -> ScheduleDefinition:
    """The schedule; it starts switched off: each collection reports the same results."""
    return ScheduleDefinition(
        name="platforms_every_ten_minutes", job=check_platforms(), cron_schedule="*/10 * * * *"
    )
