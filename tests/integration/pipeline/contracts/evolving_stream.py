"""A stream of a test's own whose contract changes, and the rows that its tables then hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files

Rows = dict[Any, Any]
START = datetime(2026, 1, 1, 12, tzinfo=UTC)

Columns = dict[str, tuple[type, dict[str, Any]]]


def model(columns: Columns) -> type[pa.DataFrameModel]:
    """A pandera model with these columns: name -> (type, arguments of `Field`)."""
    fields = {name: pa.Field(**options) for name, (_, options) in columns.items()}
    types = {name: kind for name, (kind, _) in columns.items()}
    return type("Row", (pa.DataFrameModel,), {**fields, "__annotations__": types})


def contract(columns: Columns, key: Sequence[str] = ("id",), **options: Any) -> Contract:
    """A contract of the stream `own` with the columns `id`, `t` and others."""
    every: Columns = {"id": (str, {}), "t": (datetime, {}), **columns}
    return Contract(
        name="own",
        model=model(every),
        key=tuple(key),
        event_time="t",
        formats=("ndjson",),
        owner="team:test",
        **options,
    )


@dataclass
class OwnStream:
    """The stream `own` under a contract that a test changes."""

    opened: Stores
    folder: Path
    loaded: int = 0

    def under(self, declared: Contract) -> StreamStores:
        """The stores of the stream with this contract declared."""
        return self.opened.of(declared)

    def load(self, declared: Contract, *records: dict[str, Any], days: int = 1) -> StreamStores:
        """Load records as one file; without a time of their own, spread over days."""
        stores = self.under(declared)
        lines = []
        for number, record in enumerate(records):
            when = START + timedelta(days=number % days, seconds=self.loaded * 100 + number)
            lines.append(json.dumps({"t": when.isoformat(), **record}))
        self.loaded += 1
        path = self.folder / f"file{self.loaded}.ndjson"
        path.write_text("\n".join(lines) + "\n")
        ingested = ingest_files(stores, [path])
        assert not ingested.failures
        return stores


def in_lake(stores: StreamStores, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of the cleaned table, in order."""
    table = stores.cleaned.read()
    return sorted(zip(*(table[name].to_pylist() for name in columns), strict=True), key=str)


def in_warehouse(stores: StreamStores, *columns: str) -> list[tuple[Any, ...]]:
    """The rows of `cleaned.own`, in order."""
    with stores.stores.clickhouse.client() as client:
        found = client.query(f"SELECT {', '.join(columns)} FROM cleaned.own").result_rows
    return sorted((tuple(row) for row in found), key=str)


Own = Callable[[], OwnStream]
