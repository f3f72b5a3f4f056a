"""Tables of the warehouse that were lost or altered: a check of `cleaned/<stream>` names them.

Belongs here: what the check says. `warehouse.dbt.survey` compares, and a deployment restores.
"""

from dagster import AssetCheckResult, AssetChecksDefinition, MetadataValue, asset_check

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.warehouse.dbt.deployment_record import last_deployment
from social_assets.warehouse.dbt.project import prepare
from social_assets.warehouse.dbt.survey import differences

REMEDY = "run `social-assets deploy`, which restores and fills them from the lake, or says why not"


def tables_are_as_declared(contract: Contract) -> AssetChecksDefinition:
    """The cleaned table, and the tables and views behind it, are what was deployed."""

    @asset_check(
        asset=["cleaned", contract.name],
        name="tables_are_as_declared",
        description=(
            "The cleaned table, and the tables and views behind it, exist and have the declared "
            f"columns, types, engine and order. If not: {REMEDY}"
        ),
    )
    def check(clickhouse: ClickHouseResource, stores: StoresResource) -> AssetCheckResult:
        in_force = [stores.stores().of(contract).contract]
        declared = [
            table
            for table in prepare(Home.from_environment()).declared(in_force)
            if contract.name in table.streams
        ]
        with clickhouse.client(f"{contract.name} tables_are_as_declared") as client:
            found = differences(client, declared, last_deployment(client))
        return AssetCheckResult(
            passed=not found,
            description=f"{'; '.join(found)}: {REMEDY}" if found else None,
            metadata={
                "tables": MetadataValue.int(len(declared)),
                "differences": MetadataValue.json(found),
            },
        )

    return check
