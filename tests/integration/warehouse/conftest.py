"""A deployed warehouse on an embedded server, into which the loader inserts rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from resources.clickhouse.resource import ClickHouseResource
from resources.embedded_clickhouse.lifecycle import Endpoint, ensure_running, stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from social_assets.defs.stores import StoresResource
from social_assets.defs.warehouse.dbt_resource import warehouse_dbt
from social_assets.defs.warehouse.speed_checks import Comparison
from social_assets.lake.schemas import cleaned_schema
from social_assets.warehouse.dbt.project import Days, dbt_arguments, dbt_environment, run_dbt
from social_assets.warehouse.dbt.tables import Table, Warehouse
from social_assets.warehouse.loader import Loader, rows_for_warehouse

Row = dict[str, Any]
Content = dict[str, list[tuple[object, ...]]]

_NEUTRAL = {"integer": 1, "number": 0.0, "string": "Unknown", "boolean": False, "strings": None}


@dataclass(frozen=True)
class WarehouseUnderTest:
    """The operations of the tests on a warehouse."""

    home: Home
    endpoint: Endpoint
    client: Client
    numbers: Iterator[int]

    @property
    def project(self) -> Warehouse:
        return Warehouse.of(self.home)

    def resources(self) -> dict[str, object]:
        """The resources of the warehouse's assets."""
        clickhouse = ClickHouseResource()
        return {
            "clickhouse": clickhouse,
            "dbt": warehouse_dbt(clickhouse),
            "stores": StoresResource(clickhouse=clickhouse),
        }

    @property
    def tables(self) -> list[Table]:
        return [*self.project.tables("star"), *self.project.tables("rollups")]

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)

    def stream(self, name: str, *rows: Row, batch: str | None = None) -> str:
        """Insert rows like the loader; returns the batch id."""
        batch = batch or f"batch-{next(self.numbers)}"
        stream = contract(name)
        loader = Loader(ClickHouseResource(), stream)
        loader.insert(batch, arrow_rows(stream, rows, batch))
        return batch

    def backfill(self, first: date, last: date, *models: str) -> None:
        """Rebuild days with dbt, like the assets."""
        selected = models or [
            name
            for layer in ("star", "rollups")
            for name in self.project.models(set(self.project.upstream(layer)))
        ]
        arguments = dbt_arguments("run", selected, days=Days(first, last))
        environment = dbt_environment(self.endpoint, "test", 4)
        run_dbt(self.project.dbt, arguments, environment, self.home.logs)

    def content(self) -> Content:
        """Every table with merged rows, in order, without percentiles."""
        return {table.name: self.rows_of(table) for table in self.tables}

    def rows_of(self, table: Table) -> list[tuple[object, ...]]:
        merged = Comparison(table, ()).merged(table.qualified_name, None)
        rows = self.client.query(f"{merged} ORDER BY ALL").result_rows
        return [tuple(map(_without_last_digits, row)) for row in rows]

    def value(self, query: str) -> Any:
        return self.client.query(query).first_row[0]

    def empty(self, *databases: str) -> None:
        tables = self.client.query(
            "SELECT concat(database, '.', name) FROM system.tables\n"
            "WHERE database IN {databases:Array(String)} AND engine LIKE '%MergeTree'\n"
            "  AND name != 'deployments'",
            parameters={"databases": list(databases)},
        ).result_rows
        for (table,) in tables:
            self.client.command(f"TRUNCATE TABLE {table} SYNC")


@contextmanager
def served(home: Home) -> Iterator[WarehouseUnderTest]:
    """Make a home the current one, and run its server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENVIRONMENT_VARIABLE, str(home.path))
        endpoint = ensure_running(home)
        try:
            with ClickHouseResource().client() as client:
                yield WarehouseUnderTest(home, endpoint, client, itertools.count())
        finally:
            stop(home)


@pytest.fixture(scope="session")
def deployed(deployed_home: Callable[[str], Home]) -> Iterator[WarehouseUnderTest]:
    with served(deployed_home("warehouse")) as found:
        yield found


@pytest.fixture
def warehouse(deployed: WarehouseUnderTest) -> WarehouseUnderTest:
    """The warehouse without rows.

    Its home is shared: a test that lands files needs one of its own, because an emptied warehouse
    lacks the batches of the lake and the next test would load them again.
    """
    deployed.empty("cleaned", "star", "rollups", "features", "text")
    return deployed


def at(text: str) -> datetime:
    """An instant, UTC: `2026-01-01 21:15`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _without_last_digits(value: object) -> object:
    """Rounded values: the last digits of a Float64 sum depend on the order."""
    return round(value, 6) if isinstance(value, float) else value


def arrow_rows(stream: Contract, rows: Sequence[Row], batch: str) -> pa.RecordBatchReader:
    schema = cleaned_schema(stream)
    wanted = pa.schema([schema.field(name) for name in rows_for_warehouse(stream)])
    complete = [_complete(stream, row, number, batch) for number, row in enumerate(rows, 1)]
    table = pa.Table.from_pylist(complete, wanted)
    return pa.RecordBatchReader.from_batches(wanted, table.to_batches())


def _complete(stream: Contract, row: Row, number: int, batch: str) -> Row:
    """The row with neutral values for absent columns."""
    unknown = set(row) - {column.name for column in stream.cleaned_columns} - {"ingested_at"}
    assert not unknown, f"{stream.name} has no column {unknown}"
    neutral = {
        column.name: None if column.nullable else _NEUTRAL.get(column.type)
        for column in stream.cleaned_columns
    }
    return {
        **neutral,
        "source": "file",
        "origin": "test",
        "partition": 0,
        "offset": number,
        "ingested_at": at("2026-11-20 00:00"),
        "batch_id": batch,
        "event_date": row["event_time"].date(),
        **row,
    }
