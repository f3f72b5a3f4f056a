"""The tables and views that dbt builds: their assets, what each is made from, columns, lineage.

Read from the manifest, without dbt and without `dagster_dbt`, which loads and drains do not import:
it takes 1.0 s of CPU more than Dagster itself (measured). What the library derives of a node stands
in `translator`.

The tables that rows are kept in are assets, and the views made for dashboards. What feeds them at
insert time (materialized views) is how, not what, and is no asset. A dimension is kept as the
states of its days (`dim_user_daily`) and shown as a view (`dim_user`): one asset, `star/dim_user`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import cache
from graphlib import TopologicalSorter
from typing import Any, Self

from dagster import AssetKey, TableColumnDep, TableColumnLineage

from resources.settings.home import Home
from social_assets.warehouse.dbt.column_lineage import Columns
from social_assets.warehouse.dbt.project import PreparedProject, prepare

Node = Mapping[str, Any]

_STATES_SUFFIX = "_daily"
_TABLE = "daily_partitions"


@dataclass(frozen=True)
class Table:
    """The relation behind an asset: where dbt writes its rows.

    `columns` holds types by name. `order_by` and the day identify a row of a table that merges
    rows (`is_aggregated`). A row of a table that `reads_history` depends on rows of other days.
    """

    asset: AssetKey
    database: str
    name: str
    columns: Mapping[str, str]
    order_by: tuple[str, ...]
    is_view: bool
    is_aggregated: bool
    reads_history: bool = False

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
    """The dbt project as Dagster sees it."""

    dbt: PreparedProject
    manifest: Mapping[str, Any]
    lineage: Mapping[str, Columns]

    @classmethod
    @cache
    def of(cls, home: Home) -> Self:
        """The project as it was when this process first asked; prepared if nobody has."""
        project = prepare(home)
        return cls(project, project.manifest(), project.lineage())

    def upstream(self, layer: str) -> dict[AssetKey, list[AssetKey]]:
        """The assets of a layer, and the assets that each is made from: sources before what is made
        of them, else by name.
        """
        nodes = [node for node in self._asset_nodes() if node["schema"] == layer]
        found = {
            asset_key(node): sorted({asset_key(parent) for parent in self._parents(node)})
            for node in nodes
        }
        of_layer = {key: sorted(found.keys() & set(found[key])) for key in sorted(found)}
        return {key: found[key] for key in TopologicalSorter(of_layer).static_order()}

    def models(self, keys: Set[AssetKey]) -> list[str]:
        """The dbt models that build the assets."""
        return [node["name"] for node in self._asset_nodes() if asset_key(node) in keys]

    def lineage_of(self, asset: AssetKey) -> TableColumnLineage:
        """Which columns of which assets the columns of an asset are made of."""
        columns = self.lineage.get(".".join(asset.path), {})
        return TableColumnLineage(
            {
                column: [TableColumnDep(asset_of(table), source) for table, source in origins]
                for column, origins in columns.items()
                if origins
            }
        )

    def tables(self, layer: str) -> list[Table]:
        """The tables of a layer that rows are kept in."""
        tables = [table(node) for node in self._asset_nodes() if node["schema"] == layer]
        return [found for found in tables if not found.is_view]

    def views(self) -> set[AssetKey]:
        """The assets of all layers that keep no rows."""
        return {
            asset_key(node)
            for node in self._asset_nodes()
            if node["config"]["materialized"] == "view"
        }

    def _asset_nodes(self) -> Iterator[Node]:
        """One node an asset: the one that has to run when the asset is materialized."""
        states = {asset_key(n) for n in self._models() if is_dimension_states(n)}
        for node in self._models():
            kind = node["config"]["materialized"]
            if kind == _TABLE or (kind == "view" and asset_key(node) not in states):
                yield node

    def _models(self) -> Iterator[Node]:
        for node in self.manifest["nodes"].values():
            if node["resource_type"] == "model":
                yield node

    def _parents(self, node: Node) -> Iterator[Node]:
        for unique_id in node["depends_on"]["nodes"]:
            yield self.manifest["nodes"].get(unique_id) or self.manifest["sources"][unique_id]


def asset_of(table: str) -> AssetKey:
    """The asset of a qualified name."""
    database, name = table.split(".")
    if name.startswith("dim_"):
        name = name.removesuffix(_STATES_SUFFIX)
    return AssetKey([database, name])


def asset_key(node: Node) -> AssetKey:
    """Layer, then table; a dimension's states bear the dimension's key."""
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
        reads_history=bool(config.get("changes_later_days")),
    )


def is_dimension_states(node: Node) -> bool:
    """Whether the node keeps the states that a dimension is a view of."""
    name = str(node["name"])
    return name.startswith("dim_") and name.endswith(_STATES_SUFFIX)
