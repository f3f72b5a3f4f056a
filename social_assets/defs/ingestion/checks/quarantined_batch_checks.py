"""Batches that could not be cleaned: a check of `cleaned/<stream>` that fails while there are any.

Belongs here: the result of the check. `pipeline.quarantined_batches` knows which batches are
quarantined.
"""

from dagster import AssetCheckResult, AssetChecksDefinition, MetadataValue, asset_check

from resources.settings.variables import ENGINE_MEMORY
from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.quarantined_batches import quarantined


def no_batch_is_quarantined(contract: Contract) -> AssetChecksDefinition:
    """Every landed batch could be cleaned."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="no_batch_is_quarantined",
        description=(
            "Every landed batch could be cleaned. Remove the reason (for want of memory: raise "
            f"{ENGINE_MEMORY}), then run `social-assets replay {contract.name}`"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        found = quarantined(stores.stores().of(contract))
        said = [f"{b.origin} (batch {b.batch_id}): {b.reason}" for b in found.values()]
        remedy = f"remove the reason, then run `social-assets replay {contract.name}`"
        return AssetCheckResult(
            passed=not found,
            description="; ".join([*said, remedy]) if found else None,
            metadata={
                "batches": MetadataValue.int(len(found)),
                "names": MetadataValue.json([batch.origin for batch in found.values()]),
            },
        )

    return check
