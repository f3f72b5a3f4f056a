"""How old an asset may become, from the contract."""

from dagster import FreshnessPolicy

from social_assets.contracts.contract import Contract


def freshness_policy(contract: Contract) -> FreshnessPolicy:
    """Dagster's policy of a stream's assets: time since the last materialization."""
    return FreshnessPolicy.time_window(
        fail_window=contract.freshness.fail_after, warn_window=contract.freshness.warn_after
    )
