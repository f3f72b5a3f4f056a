"""The job that lands the files that wait, of every stream, for days that are then made anew.

Here belongs the job alone; what landing means stands in `raw`. `load_job` takes a stream's files
through every step at once.
"""

from __future__ import annotations

from dagster import AssetKey, AssetSelection, define_asset_job

from resources.dagster.private import UnresolvedAssetJobDefinition
from social_assets.contracts.registry import contracts

LAND = "land_files"


def landed_assets() -> frozenset[AssetKey]:
    """The assets that a run of the job makes unless it selects some of them."""
    return frozenset(AssetKey(["raw", contract.name]) for contract in contracts())


def land_job() -> UnresolvedAssetJobDefinition:
    """The job, of days as partitions."""
    return define_asset_job(
        LAND,
        selection=AssetSelection.assets(*sorted(landed_assets())),
        description="Land the files that wait in the landing folders of all streams",
    )
