"""Translates dbt nodes to Dagster: key, group, description, schema, owners, upstream.

It reads the manifest, without dbt and without `dagster_dbt`: importing the latter takes 3.6 s of
CPU in every process that loads the definitions, and each run is one (measured; Dagster itself takes
2.6 s).

Assets are the tables that store rows, and the views for dashboards. A materialized view, which
feeds a table at insert time, is not an asset. A dimension is stored as the states of its days
(`dim_user_daily`) and read through a view (`dim_user`): one asset, `star/dim_user`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Self

from dagster import (
    AssetKey,
    AssetSpec,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableConstraints,
    TableSchema,
)

from resources.settings.home import Home
from social_assets.warehouse.dbt.column_lineage import Columns
from social_assets.warehouse.dbt.project import DbtProject, prepare

Node = Mapping[str, Any]

_STATES_SUFFIX = "_daily"
_TABLE = "daily_partitions"


@dataclass(frozen=True)
class Table:
    """The relation behind an asset, to which dbt writes its rows.

    `columns` holds types by name. `order_by` and the day identify a row of a table that merges rows
    (`is_aggregated`).
    """

    asset: AssetKey
    database: str
    name: str
    columns: Mapping[str, str]
    order_by: tuple[str, ...]
    is_view: bool
    is_aggregated: bool

    @property
    def qualified_name(self) -> str:
        """Its name in a query."""
        return f"{self.database}.{self.name}"

    @staticmethod
    def of_days(days: Sequence[date] | None) -> str:
        """The condition that keeps some days; None means all."""
        if days is None:
            return "true"
        listed = ", ".join(f"'{day}'" for day in days)
        return f"event_date IN ({listed})"


@dataclass(frozen=True)
class Warehouse:
    """The dbt project in Dagster's terms."""

    dbt: DbtProject
    manifest: Mapping[str, Any]
    lineage: Mapping[str, Columns]

    @classmethod
    @cache
    def of(cls, home: Home) -> Self:
        """The project when this process first asked for it; prepares it if nobody has."""
        project = prepare(home)
        return cls(project, project.manifest(), project.lineage())

    def specs(self, layer: str) -> list[AssetSpec]:
        """The assets of a layer, by key."""
        specs = [self.spec(node) for node in self._asset_nodes() if node["schema"] == layer]
        return sorted(specs, key=lambda spec: spec.key)

    def spec(self, node: Node) -> AssetSpec:
        """One model as an asset."""
        key = asset_key(node)
        upstream = {asset_key(parent) for parent in self._parents(node)} - {key}
        return AssetSpec(
            key=key,
            deps=sorted(upstream),
            description=self.shown(node)["description"],
            group_name=node["schema"],
            owners=[node["config"]["meta"]["owner"]],
            kinds={"dbt", "clickhouse"},
            code_version=self._code_version(node),
            metadata={
                "dagster/table_name": relation_name(self.shown(node)),
                "dagster/storage_kind": "clickhouse",
                "dagster/column_schema": table_schema(self.shown(node)),
                "dagster/column_lineage": self.lineage_of(key),
                "unique_id": node["unique_id"],
            },
        )

    def models(self, keys: Set[AssetKey]) -> list[str]:
        """The dbt models that build the assets."""
        return [node["name"] for node in self._asset_nodes() if asset_key(node) in keys]

    def table_of(self, unique_id: str) -> Table:
        """The relation that a node builds."""
        return table(self.manifest["nodes"][unique_id])

    def lineage_of(self, asset: AssetKey) -> TableColumnLineage:
        """The columns of other assets from which the asset's columns are made."""
        columns = self.lineage.get(".".join(asset.path), {})
        return TableColumnLineage(
            {
                column: [TableColumnDep(_asset_of(table), source) for table, source in origins]
                for column, origins in columns.items()
                if origins
            }
        )

    def tables(self, layer: str) -> list[Table]:
        """The tables of a layer that store rows."""
        tables = [table(node) for node in self._asset_nodes() if node["schema"] == layer]
        return [found for found in tables if not found.is_view]

    def views(self) -> set[AssetKey]:
        """The assets of all layers that store no rows."""
        return {
            asset_key(node)
            for node in self._asset_nodes()
            if node["config"]["materialized"] == "view"
        }

    def shown(self, node: Node) -> Node:
        """The relation to query: for a dimension, the view on its states."""
        if is_dimension_states(node):
            name = node["name"].removesuffix(_STATES_SUFFIX)
            return self._models_by_name()[name]
        return node

    def _asset_nodes(self) -> Iterator[Node]:
        """The node of each asset that has to run to materialize it."""
        states = {asset_key(n) for n in self._models() if is_dimension_states(n)}
        for node in self._models():
            kind = node["config"]["materialized"]
            if kind == _TABLE or (kind == "view" and asset_key(node) not in states):
                yield node

    def _models(self) -> Iterator[Node]:
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "model":
                yield node

    def _models_by_name(self) -> dict[str, Node]:
        return {node["name"]: node for node in self._models()}

    def _parents(self, node: Node) -> Iterator[Node]:
        for unique_id in node["depends_on"]["nodes"]:
            yield self.manifest["nodes"].get(unique_id) or self.manifest["sources"][unique_id]

    def _code_version(self, node: Node) -> str:
        """A version that changes with the model, or with a macro that it calls, at any depth."""
        content = hashlib.sha256(node["raw_code"].encode())
        waiting, seen = list(node["depends_on"]["macros"]), set()
        while waiting:
            unique_id = waiting.pop()
            if unique_id in seen or not unique_id.startswith("macro.social_assets."):
                continue
            seen.add(unique_id)
            waiting += self.manifest["macros"][unique_id]["depends_on"]["macros"]
        for unique_id in sorted(seen):
            content.update(self.manifest["macros"][unique_id]["macro_sql"].encode())
        return content.hexdigest()[:12]


def _asset_of(table: str) -> AssetKey:
    """The asset of a qualified name."""
    database, name = table.split(".")
    if name.startswith("dim_"):
        name = name.removesuffix(_STATES_SUFFIX)
    return AssetKey([database, name])


def asset_key(node: Node) -> AssetKey:
    """Layer, then table; the states of a dimension have the dimension's key."""
    name = node["name"]
    if is_dimension_states(node):
        name = name.removesuffix(_STATES_SUFFIX)
    return AssetKey([node["schema"], name])


def table(node: Node) -> Table:
    """The relation that a node builds."""
    config = node["config"]
    return Table(
        asset=asset_key(node),
        database=node["schema"],
        name=node["alias"],
        columns={name: column["data_type"] for name, column in node["columns"].items()},
        order_by=tuple(config.get("order_by", ())),
        is_view=config["materialized"] == "view",
        is_aggregated=config.get("engine") == "AggregatingMergeTree",
    )


def is_dimension_states(node: Node) -> bool:
    """Whether the node stores the states that a dimension's view reads."""
    name = str(node["name"])
    return name.startswith("dim_") and name.endswith(_STATES_SUFFIX)


def relation_name(node: Node) -> str:
    """The table in ClickHouse."""
    return f"{node['schema']}.{node['alias']}"


def table_schema(node: Node) -> TableSchema:
    """Columns with types, descriptions and constraints."""
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
