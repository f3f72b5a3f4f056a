"""The contract under which a stream is loaded: the deployed one, until another is deployed.

Belongs here: finding it. It is the recorded contract; without a record it is inferred from the
columns of the cleaned table; a stream without a cleaned table begins with today's. What a
deployment does is in `deploy_contract`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from social_assets.contracts.changes.contract_text import contract_of, missing_rules, text_of
from social_assets.contracts.changes.difference import Change, changes
from social_assets.contracts.contract import Contract
from social_assets.lake.contracts.inferred_contract import inferred_contract
from social_assets.lake.lake import Lake


class ContractNotDeployedError(RuntimeError):
    """The records of a stream can't be validated before its contract is deployed."""


@dataclass(frozen=True)
class ContractInForce:
    """The contract of a stream's tables, beside the declared one.

    `incomplete` says which of its rules are lost; without them records only land. `is_recorded`:
    the lake holds its text.
    """

    contract: Contract
    declared: Contract
    is_recorded: bool

    @property
    def changes(self) -> tuple[Change, ...]:
        """What a deployment would change."""
        return changes(self.contract, self.declared)

    @property
    def incomplete(self) -> str:
        """Which deployed rules are lost, in words; "" if none."""
        return missing_rules(self.contract)

    @property
    def undeployed(self) -> str:
        """What a deployment would change, in words; "" if nothing."""
        if not self.changes:
            return ""
        told = "; ".join(str(change) for change in self.changes)
        loads = "loads go on under the contract that was deployed"
        if self.incomplete:
            loads = f"records land and wait to be validated, as {self.incomplete}"
        return f"its contract has changed and is not deployed ({told}): {loads}"

    def check_complete(self) -> None:
        """Raise ContractNotDeployedError if records can't be validated."""
        if self.incomplete:
            name, module = self.declared.name, self.declared.model.__module__
            raise ContractNotDeployedError(
                f"{name}: its records can't be validated under the deployed contract, the lake's "
                f"contracts/{name}: {self.incomplete}, of which the record has no code, and "
                f"{module} declares another or none. Nothing is lost: files land and are pending, "
                "records of a topic stay in Kafka. Restore the function there, or run "
                "`social-assets deploy` to put the declared contract in force"
            )


def contract_in_force(lake: Lake, declared: Contract) -> ContractInForce:
    """The contract in force of the stream of a declared contract."""
    deployed = lake.deployed_contracts(declared)
    text = deployed.text()
    if text is not None:
        return ContractInForce(_same_or(contract_of(text, declared), declared), declared, True)
    columns = deployed.cleaned.columns()
    if columns is None:
        return ContractInForce(declared, declared, False)
    return ContractInForce(inferred_contract(declared, columns), declared, False)


def record_in_force(lake: Lake, in_force: ContractInForce) -> None:
    """Record the contract in force if it is not recorded. The caller must hold the stream's lock.

    Creates the cleaned table of a new stream.
    """
    if in_force.is_recorded:
        return
    deployed = lake.deployed_contracts(in_force.declared)
    cleaned = lake.table("cleaned", in_force.contract)
    applied = deployed.record(text_of(in_force.contract))
    if cleaned.columns() is None:
        cleaned.create(applied)
    else:
        cleaned.widen((), (), applied)


@cache
def _same_or(deployed: Contract, declared: Contract) -> Contract:
    """The declared contract if it makes the same rows: options may be listed in another order."""
    if missing_rules(deployed) or changes(deployed, declared):
        return deployed
    return declared
