"""The tables and views of the warehouse that contracts and dbt models declare.

Belongs here: their names, columns, engine and order, and the streams that they are made of.
`survey` reads what the warehouse really has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, Literal

from social_assets.contracts.contract import Contract
from social_assets.warehouse import ddl, search_tables, text_tables

Kind = Literal["cleaned", "records", "days", "view", "feed", "asset"]
"""The loader fills `cleaned`, and keeps `records` of what is done. dbt and the views of kind `feed`
fill `days`. A `view` has no rows of its own. An asset of Dagster fills a table of kind `asset`."""

DAY_COLUMN = "event_date"
"""The column of days, by which every table is partitioned, by day or by month."""

_KINDS: Mapping[str, Kind] = {
    "daily_partitions": "days",
    "materialized_view": "feed",
    "view": "view",
}


@dataclass(frozen=True)
class DeclaredTable:
    """A table or view. Only `cleaned` and `days` have columns here: dbt replaces views at each
    deployment, and records are only examined for whether they exist.
    """

    name: str
    kind: Kind
    streams: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    engine: str = ""
    sorting_key: tuple[str, ...] = ()
    partition_key: str = DAY_COLUMN

    @property
    def is_view(self) -> bool:
        """Whether it has no rows of its own."""
        return self.kind in ("view", "feed")


def cleaned_table(contract: Contract) -> DeclaredTable:
    """`cleaned.<stream>`."""
    return DeclaredTable(
        name=f"{ddl.DATABASE}.{contract.name}",
        kind="cleaned",
        streams=(contract.name,),
        columns=ddl.column_types(contract),
        engine=ddl.ENGINE,
        sorting_key=tuple(contract.key),
    )


def declared_tables(
    contracts: Sequence[Contract], manifest: Mapping[str, Any]
) -> tuple[DeclaredTable, ...]:
    """The tables and views of contracts and of a dbt manifest: models after those they read."""
    records = [DeclaredTable(name, "records") for name in ddl.create_records()]
    return (*map(cleaned_table, contracts), *records, *_of_texts(), *_models(manifest))


def _of_texts() -> Iterator[DeclaredTable]:
    yield DeclaredTable(text_tables.SENTIMENT, "asset")
    yield DeclaredTable(search_tables.DOCUMENTS, "asset")
    for view in text_tables.VIEWS:
        yield DeclaredTable(view, "view")


def _models(manifest: Mapping[str, Any]) -> Iterator[DeclaredTable]:
    models: Mapping[str, Any] = {
        name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"
    }
    read = {
        name: sorted(models.keys() & set(node["depends_on"]["nodes"]))
        for name, node in sorted(models.items())
    }
    for unique_id in TopologicalSorter(read).static_order():
        node = models[unique_id]
        config, kind = node["config"], _KINDS[node["config"]["materialized"]]
        is_of_days = kind == "days"
        yield DeclaredTable(
            name=f"{node['schema']}.{node['alias']}",
            kind=kind,
            streams=tuple(sorted(_streams(manifest, unique_id))),
            columns=(
                {column["name"]: column["data_type"] for column in node["columns"].values()}
                if is_of_days
                else {}
            ),
            engine=config["engine"] if is_of_days else "",
            sorting_key=tuple(config["order_by"]) if is_of_days else (),
            partition_key=config.get("partition_by") or DAY_COLUMN,
        )


def _streams(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    if source := manifest["sources"].get(unique_id):
        return {source["name"]}
    parents = manifest["nodes"][unique_id]["depends_on"]["nodes"]
    return {stream for parent in parents for stream in _streams(manifest, parent)}
