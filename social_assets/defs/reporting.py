"""What assets and checks of several rooms tell Dagster and ClickHouse.

Belongs here: columns of serving tables for the UI, lists of what is wrong, and the comments by
which ClickHouse's query log names a run. What one room alone reports belongs to that room.
"""

from __future__ import annotations

from collections.abc import Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetExecutionContext,
    AssetKey,
    MetadataValue,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
)

from social_assets.warehouse.served.serving_tables import ServingTable


def table_schema(table: ServingTable) -> TableSchema:
    """The columns of a serving table, for the UI."""
    return TableSchema(
        columns=[
            TableColumn(
                column.name,
                column.type,
                column.meaning,
                constraints=TableColumnConstraints(nullable=column.type.startswith("Nullable")),
            )
            for column in table.columns
        ],
        constraints=TableConstraints(other=list(table.constraints)),
    )


def listed(wrong: Sequence[object]) -> MetadataValue:
    """What a check has found, a line each."""
    return MetadataValue.md("\n".join(f"- {each}" for each in wrong))


def query_comment(context: AssetExecutionContext) -> str:
    """The comment by which ClickHouse's query log names the run and the asset."""
    return f"{context.run.run_id} {context.asset_key.to_user_string()}"


def check_comment(context: AssetCheckExecutionContext, key: AssetKey) -> str:
    """The comment by which ClickHouse's query log names the run and the checked asset."""
    return f"{context.run.run_id} check {key.to_user_string()}"
