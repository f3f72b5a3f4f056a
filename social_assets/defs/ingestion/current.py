"""`current/<stream>`: the rows that a captured table has now. One for each stream of changes.

Belongs here: the asset of the view. Its SQL belongs to `warehouse.current`; the loader makes the
view before it inserts rows, so that it is there after the first load.
"""

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    MaterializeResult,
    TableColumn,
    TableColumnDep,
    TableColumnLineage,
    TableSchema,
    asset,
)

from social_assets.contracts.contract import Contract
from social_assets.defs.stores import StoresResource
from social_assets.defs.stream_tag import STREAM_TAG
from social_assets.warehouse.current import DATABASE, current_columns


def current_asset(contract: Contract) -> AssetsDefinition:
    """The view of a stream of changes; materializing it makes it anew and counts its rows."""
    table = contract.capture.table if contract.capture else ""
    shown = current_columns(contract)
    cleaned = AssetKey(["cleaned", contract.name])

    @asset(
        key=[DATABASE, contract.name],
        deps=[cleaned],
        group_name=DATABASE,
        owners=[contract.owner],
        kinds={"clickhouse", "view"},
        tags={STREAM_TAG: contract.name},
        description=(
            f"The rows of {table} as its changes left them: the newest change of each primary key "
            f"that is not a delete. A view, as new as `cleaned.{contract.name}`."
        ),
        metadata={
            "dagster/column_schema": TableSchema(
                columns=[
                    TableColumn(name, description=contract.columns[name].description)
                    for name in shown
                ]
            ),
            "dagster/column_lineage": TableColumnLineage(
                {name: [TableColumnDep(cleaned, name)] for name in shown}
            ),
            "dagster/table_name": f"{DATABASE}.{contract.name}",
        },
    )
    def current(context: AssetExecutionContext, stores: StoresResource) -> MaterializeResult[None]:
        comment = f"{context.run.run_id} {DATABASE}/{contract.name}"
        stores.stores().of(contract, comment).loader.prepare()
        with stores.clickhouse.client(comment) as client:
            rows = int(str(client.command(f"SELECT count() FROM {DATABASE}.{contract.name}")))
        return MaterializeResult(metadata={"dagster/row_count": rows})

    return current
