"""Files that could not be loaded: a check of `raw/<stream>` that fails while there are any.

Belongs here: the check of the record of failed files and of the landing folder's `failed/`.
"""

from collections.abc import Sequence

from dagster import AssetCheckResult, AssetChecksDefinition, MetadataValue, asset_check

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.lake.failed_files import FailedFile
from social_assets.pipeline.files.failed_files import unresolved_failures
from social_assets.pipeline.files.landing_folder import FAILED, Landing

NAMED = 5


def no_file_failed(contract: Contract) -> AssetChecksDefinition:
    """Every file that could not be loaded has been loaded since, or is acknowledged."""

    @asset_check(
        asset=["raw", contract.name],
        name="no_file_failed",
        description=(
            "Every file that failed was loaded since under the same name, or acknowledged with "
            f"`social-assets failed-files {contract.name} --acknowledge`"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        landing = Landing(Home.from_environment().landing, contract.name)
        failed = unresolved_failures(stores.stores().of(contract), landing)
        return AssetCheckResult(
            passed=not failed,
            description=_description(contract, failed),
            metadata={
                "files": MetadataValue.int(len(failed)),
                "names": MetadataValue.json([file.name for file in failed]),
                "reasons": MetadataValue.json([file.reason for file in failed]),
            },
        )

    return check


def _description(contract: Contract, failed: Sequence[FailedFile]) -> str | None:
    if not failed:
        return None
    names = [file.name for file in failed]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    files = "1 file" if len(names) == 1 else f"{len(names)} files"
    return (
        f"{files} of {contract.name} could not be loaded: {', '.join(names[:NAMED])}{more}. "
        f"{failed[0].reason}. Files of landing lie in landing/{contract.name}/{FAILED} now: "
        f"correct each and drop it into landing/{contract.name} under its name, or acknowledge it: "
        f"`social-assets failed-files {contract.name} --acknowledge`"
    )
