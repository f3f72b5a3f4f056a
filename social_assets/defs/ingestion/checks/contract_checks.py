"""A contract that has changed and is not deployed: a check of `cleaned/<stream>` warns of it.

Belongs here: the result of the check. `pipeline.contracts` compares the contracts.
"""

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    asset_check,
)

from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource


def contract_is_deployed(contract: Contract) -> AssetChecksDefinition:
    """The stream is loaded under the contract that is declared."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="contract_is_deployed",
        description=(
            "The stream is loaded under its declared contract. If not, it is loaded under the one "
            "that was deployed last: run `social-assets deploy`"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        in_force = stores.stores().of(contract).in_force
        told = in_force.undeployed
        # Records that can't be validated wait: that is a failure and no warning.
        severity = AssetCheckSeverity.ERROR if in_force.incomplete else AssetCheckSeverity.WARN
        return AssetCheckResult(
            passed=not told,
            severity=severity,
            description=f"{told}; run `social-assets deploy`" if told else None,
            metadata={"changes": MetadataValue.json([str(change) for change in in_force.changes])},
        )

    return check
