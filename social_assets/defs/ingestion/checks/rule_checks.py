"""The contract's rules as asset checks of `cleaned/<stream>`: one check a rule.

Belongs here: the checks. What a result says belongs to `rule_results`.
"""

from collections.abc import Iterator

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    multi_asset_check,
)

from social_assets.contracts.contract import Contract
from social_assets.defs.ingestion.checks.rule_results import broken_rules, rule_result
from social_assets.defs.stores import StoresResource
from social_assets.transform.validate import rules


def contract_checks(contract: Contract) -> AssetChecksDefinition:
    """One check a rule. It passes while on no day the share of rejected records is over
    `warn_above`. Above that it warns; above `fail_above` it is an error.
    """
    asset_key = ["cleaned", contract.name]
    found = rules(contract)

    @multi_asset_check(
        name=f"contract_{contract.name}",
        specs=[AssetCheckSpec(r.name, asset=asset_key, description=r.description) for r in found],
        can_subset=True,
    )
    def check(
        context: AssetCheckExecutionContext, stores: StoresResource
    ) -> Iterator[AssetCheckResult]:
        stream = stores.stores().of(contract)
        broken = broken_rules(stream)
        selected = {key.name for key in context.selected_asset_check_keys}
        for rule in found:
            if rule.name in selected:
                yield rule_result(contract, rule, broken.get(rule.name))

    return check
