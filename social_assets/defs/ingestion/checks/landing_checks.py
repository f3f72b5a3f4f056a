"""Files that could not be read: a check of `raw/<stream>` that fails while there are any.

Belongs here: the check of the landing folder's `failed/`. The log of the run that tried a file has
the reason.
"""

from dagster import AssetCheckResult, AssetChecksDefinition, MetadataValue, asset_check

from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.pipeline.files.landing_folder import FAILED, Landing

NAMED = 5


def no_file_failed(contract: Contract) -> AssetChecksDefinition:
    """There is no file in `landing/<stream>/failed`."""

    @asset_check(
        asset=["raw", contract.name],
        name="no_file_failed",
        description=(
            f"landing/{contract.name}/{FAILED} is empty. Mend a file and drop it into "
            f"landing/{contract.name} again, or remove it"
        ),
    )
    def check() -> AssetCheckResult:
        failed = Landing(Home.from_environment().landing, contract.name).failed()
        return AssetCheckResult(
            passed=not failed,
            description=_description(contract, [path.name for path in failed]),
            metadata={
                "files": MetadataValue.int(len(failed)),
                "names": MetadataValue.json([path.name for path in failed]),
            },
        )

    return check


def _description(contract: Contract, names: list[str]) -> str | None:
    if not names:
        return None
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    files = "1 file" if len(names) == 1 else f"{len(names)} files"
    return (
        f"{files} of {contract.name} could not be loaded: {', '.join(names[:NAMED])}{more}; why is "
        f"in the log of the run that tried. They lie in landing/{contract.name}/{FAILED}: mend "
        f"each and move it to landing/{contract.name}, or remove it"
    )
