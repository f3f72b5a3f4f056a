"""Keeps the warehouse as the contracts in force say, on behalf of runs and commands.

Belongs here: which contracts are in force, for `warehouse.dbt.deployment`. Imports neither dbt nor
the assets: loads and drains call it.
"""

from __future__ import annotations

import logging

from resources.settings.home import Home
from social_assets.contracts.registry import contracts
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.contracts.contract_in_force import ContractInForce
from social_assets.pipeline.stores import Stores
from social_assets.warehouse.dbt.deployment import (
    Deployment,
    deploy_warehouse,
    undeployed,
    waits_for,
)
from social_assets.warehouse.dbt.project import prepare

_log = logging.getLogger(__name__)


def contracts_in_force(stores: Stores) -> list[ContractInForce]:
    """The contract in force of every stream."""
    return [stores.of(each).in_force for each in contracts()]


def deploy_in_force(stores: StoresResource) -> Deployment:
    """Bring the warehouse to what the contracts in force say; loads and drains call it first.

    Logs if it waits for a contract to be deployed.
    """
    in_force = [each.contract for each in contracts_in_force(stores.stores())]
    done = deploy_warehouse(stores.clickhouse.endpoint(), Home.from_environment(), in_force)
    if done.kept:
        _log.warning("%s", done)
    return done


def waiting_for_contracts(stores: Stores) -> str:
    """Why facts and rollups can't be built before a deployment, in words; "" if they can."""
    found = contracts_in_force(stores)
    if all(each.contract is each.declared for each in found):
        return ""
    in_force = [each.contract for each in found]
    waiting = undeployed(in_force, prepare(Home.from_environment()).declared(in_force))
    return waits_for(waiting) if waiting else ""
