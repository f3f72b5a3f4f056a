"""Runs a deployment: the contracts of all streams, then the warehouse behind them.

Belongs here: the order of the parts for the command `deploy`. What it would do is in `plan`,
what changes in a stream in `pipeline.contracts`, tables behind `cleaned` in
`warehouse.dbt.deployment`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import broken_contracts, contracts
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.deployment import deploy_in_force
from social_assets.defs.warehouse.recovery import finish_warehouse
from social_assets.operate.runs.instance import open_instance
from social_assets.pipeline.contracts.deploy_contract import ContractPlan, deploy_contract
from social_assets.pipeline.contracts.refused_deployment import ContractNotDeployableError
from social_assets.pipeline.contracts.staged_rows import RowsNotConvertibleError
from social_assets.pipeline.stream_work import recover

Say = Callable[[str], None]


@dataclass(frozen=True)
class Deployed:
    """What a deployment did: contracts put in force, the warehouse in words, finished days.

    `failures` are contracts that cannot be used or deployed, with the reason and the remedy.
    """

    contracts: tuple[ContractPlan, ...]
    warehouse: str
    finished: dict[str, list[date]]
    failures: tuple[str, ...] = ()


def deploy(home: Home, say: Say) -> Deployed:
    """Deploy the contracts and the warehouse. Killed, the same call goes on."""
    resource = StoresResource(clickhouse=ClickHouseResource())
    stores = resource.stores()
    done, failures = [], [str(each) for each in broken_contracts()]
    for each in contracts():
        stream = stores.of(each, f"deploy {each.name}")
        if stream.in_force.changes:
            say(f"{each.name}: deploying its contract")
            try:
                done.append(deploy_contract(stream))
            except (ContractNotDeployableError, RowsNotConvertibleError) as error:
                # Nothing was changed, and the other streams are deployed.
                failures.append(str(error))
        elif stream.in_force.is_recorded:
            with stream.lock():
                recover(stream)  # what a killed deployment has left
    warehouse = deploy_in_force(resource)
    with open_instance(home) as instance:
        finished = finish_warehouse(instance, resource, "deploy")
    return Deployed(tuple(done), str(warehouse), finished, tuple(failures))
