"""Reports days whose rows changed to Dagster: materializations, and of which assets.

Belongs here: what loads, drains, unloads and rebuilds of a stream share. They find out which days
changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from dagster import AssetKey, AssetMaterialization, MetadataValue, TableMetadataValue

from resources.settings.home import Home
from social_assets.pipeline.stores import StreamStores
from social_assets.warehouse.dbt.project import prepare
from social_assets.warehouse.dbt.tables import asset_of
from social_assets.warehouse.pending_days import BEHIND, BUILT
from social_assets.warehouse.present_tables import present_tables

LayerMetadata = dict[str, dict[date, dict[str, MetadataValue[Any]]]]
"""Layer -> day -> metadata."""


Previews = Mapping[AssetKey, Mapping[str, TableMetadataValue]]
"""The newest rows of each asset, added to the event of its last day."""


def materializations(
    stream: StreamStores,
    days: Sequence[date],
    behind: Sequence[AssetKey],
    previews: Previews | None = None,
) -> list[AssetMaterialization]:
    """One event for each day and asset whose rows of that day changed.

    `behind` are the facts, dimensions and rollups that the warehouse's views keep up to date.
    """
    shown = previews or {}
    name = stream.name
    rows = stream.raw.rows_by_day()
    found: LayerMetadata = {
        "raw": {
            day: {"dagster/partition_row_count": MetadataValue.int(rows.get(day, 0))}
            for day in days
        },
        **layer_metadata(stream, list(days)),
    }
    told = [
        (AssetKey([layer, name]), day, metadata)
        for layer, by_day in found.items()
        for day, metadata in by_day.items()
    ]
    told += [(key, day, {"fed_by": MetadataValue.text(name)}) for key in behind for day in days]
    return [
        AssetMaterialization(
            key,
            partition=day.isoformat(),
            metadata={**metadata, **(shown.get(key, {}) if day == days[-1] else {})},
        )
        for key, day, metadata in told
    ]


def layer_metadata(stream: StreamStores, days: list[date]) -> LayerMetadata:
    """The metadata of each day of the stream's cleaned and quarantine assets."""
    raw, cleaned = stream.raw.rows_by_day(), stream.cleaned.rows_by_day()
    rejected = stream.quarantine.rows_by_day(verdict="rejected")
    duplicates = stream.quarantine.rows_by_day(verdict="duplicate")
    return {
        "cleaned": {
            day: {
                "dagster/partition_row_count": MetadataValue.int(cleaned.get(day, 0)),
                "raw_records": MetadataValue.int(raw.get(day, 0)),
                "table": MetadataValue.path(stream.cleaned.uri),
            }
            for day in days
        },
        "quarantine": {
            day: {
                "dagster/partition_row_count": MetadataValue.int(
                    rejected.get(day, 0) + duplicates.get(day, 0)
                ),
                "rejected": MetadataValue.int(rejected.get(day, 0)),
                "duplicates": MetadataValue.int(duplicates.get(day, 0)),
                "table": MetadataValue.path(stream.quarantine.uri),
            }
            for day in days
        },
    }


def fed_now(stream: StreamStores) -> list[AssetKey]:
    """Those of `fed_by` that the warehouse has.

    While a contract waits for its deployment, loads go on and the tables that a new version brings
    do not exist.
    """
    with stream.stores.clickhouse.client(stream.log_comment) as client:
        present = present_tables(client)
    return [key for key in fed_by(stream.name) if ".".join(key.path) in present]


def fed_by(stream: str) -> list[AssetKey]:
    """The warehouse's tables that an insert into `cleaned.<stream>` changes, star before rollups,
    and each after those that it is made of: a table that is reported before one of its sources
    looks older than it, and would be made anew.
    """
    return [key for key in built_from(stream) if key.path[0] in BEHIND]


def built_from(stream: str) -> list[AssetKey]:
    """The warehouse's tables that dbt builds from `cleaned.<stream>`: those of `fed_by`, and then
    those that no view feeds.

    Read from the declared tables: loads and drains start without `dagster_dbt`.
    """
    declared = prepare(Home.from_environment()).declared()
    keys = [asset_of(t.name) for t in declared if t.kind == "days" and stream in t.streams]
    return sorted(keys, key=lambda key: BUILT.index(key.path[0]))
