"""What a dbt node is in Dagster, where it differs from what `dagster_dbt` says.

Here belongs what the library can't know of this warehouse: that a dimension's states are shown as a
view, what holds for columns, which columns a column is made of. Importing it imports dbt: only the
definitions of the warehouse do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dagster import (
    AssetCheckSpec,
    AssetKey,
    AssetSpec,
    TableColumn,
    TableColumnConstraints,
    TableConstraints,
    TableSchema,
)
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

from social_assets.warehouse.dbt.tables import Node, Warehouse, asset_key, is_dimension_states

_SHOWN = ("name", "alias", "description", "columns")
"""What people see of a relation."""


class WarehouseTranslator(DagsterDbtTranslator):
    """Keys, code versions and metadata of the assets; groups and owners are in dbt's `meta`."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_metadata=False))
        self._warehouse = warehouse

    def get_resource_props(self, manifest: Mapping[str, Any], unique_id: str) -> Node:
        """A node; of a dimension's states, with what people see of the view on them."""
        node = super().get_resource_props(manifest, unique_id)
        if not is_dimension_states(node):
            return node
        view = manifest["nodes"][unique_id.removesuffix("_daily")]
        return {**node, **{part: view[part] for part in _SHOWN}}

    def get_asset_key(self, dbt_resource_props: Node) -> AssetKey:
        """Layer, then table."""
        return asset_key(dbt_resource_props)

    def get_description(self, dbt_resource_props: Node) -> str:
        """Without the SQL: it is a call of a macro."""
        return str(dbt_resource_props["description"])

    def get_code_version(self, dbt_resource_props: Node) -> str:
        """Changes when the model changes, or a macro that it calls, at any depth.

        The library's is the model's alone, and ours are calls of macros.
        """
        macros = self._warehouse.manifest["macros"]
        content = hashlib.sha256(dbt_resource_props.get("raw_code", "").encode())
        waiting = list(dbt_resource_props.get("depends_on", {}).get("macros", []))
        seen: set[str] = set()
        while waiting:
            unique_id = waiting.pop()
            if unique_id not in seen and unique_id.startswith("macro.social_assets."):
                seen.add(unique_id)
                waiting += macros[unique_id]["depends_on"]["macros"]
        for unique_id in sorted(seen):
            content.update(macros[unique_id]["macro_sql"].encode())
        return content.hexdigest()[:12]

    def get_asset_check_spec(
        self,
        asset_spec: AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> AssetCheckSpec | None:
        """A test of dbt; one that fails is reported, and ends no run, like every check of ours."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec and spec._replace(blocking=False)

    def get_metadata(self, dbt_resource_props: Node) -> Mapping[str, Any]:
        """What the library says, with constraints and lineage of the columns."""
        metadata = super().get_metadata(dbt_resource_props)
        if dbt_resource_props["resource_type"] == "source":
            return metadata
        return {
            **metadata,
            "dagster/column_schema": _table_schema(dbt_resource_props),
            "dagster/column_lineage": self._warehouse.lineage_of(asset_key(dbt_resource_props)),
        }


def _table_schema(node: Node) -> TableSchema:
    """Columns with types, descriptions and what is known to hold for them."""
    columns = [_column(node, column) for column in node["columns"].values()]
    grain = _grain(node["description"])
    return TableSchema(
        columns=columns, constraints=TableConstraints(other=[grain]) if grain else None
    )


def _column(node: Node, column: Mapping[str, Any]) -> TableColumn:
    own_key = node["name"].removeprefix("dim_") + "_key"
    is_dimension = node["name"].startswith("dim_")
    is_reference = column["name"].endswith("_key") and not is_dimension
    dimension = "star.dim_" + column["name"].removesuffix("_key")
    return TableColumn(
        name=column["name"],
        type=column["data_type"],
        description=column["description"],
        constraints=TableColumnConstraints(
            nullable="Nullable(" in column["data_type"],
            unique=is_dimension and column["name"] == own_key,
            other=[f"refers to {dimension}"] if is_reference else [],
        ),
    )


def _grain(description: str) -> str | None:
    """The part of a description that says what one row is."""
    at = description.find("one row a")
    return description[at:].split(".", maxsplit=1)[0] if at >= 0 else None
