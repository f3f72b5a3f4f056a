"""Runs the engine's expressions on DuckDB, within a bound of memory and threads.

Here belongs what is DuckDB's: the connection and its settings, reading Delta's Parquet files,
tables that live as long as the connection. What is computed stands in `clean_records`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

from social_assets.sources.records import RECORDS

BATCH_ROWS = 32_768


@dataclass(frozen=True)
class DuckDBEngine:
    """How to open DuckDB: `memory_limit` as DuckDB writes it (`1GB`), `spill` for what is more."""

    spill: Path
    threads: int = 2
    memory_limit: str = "1GB"

    @contextmanager
    def session(self, sharers: int = 1) -> Iterator[Session]:
        """A connection of one's own, closed at the end with all its tables.

        `sharers` says how many such sessions share the memory that the engine may take.
        """
        self.spill.mkdir(parents=True, exist_ok=True)
        backend = ibis.duckdb.connect(
            ":memory:",
            threads=self.threads,
            memory_limit=self.memory_limit,
            temp_directory=str(self.spill),
            preserve_insertion_order=False,
        )
        try:
            backend.con.execute("SET TimeZone = 'UTC'")
            if sharers > 1:
                (limit,) = backend.con.execute("SELECT current_setting('memory_limit')").fetchone()
                size, unit = limit.split()
                backend.con.execute(f"SET memory_limit = '{float(size) / sharers} {unit}'")
            yield Session(backend)
        finally:
            backend.disconnect()


@dataclass(frozen=True)
class Session:
    """One DuckDB connection."""

    backend: Backend
    BLOCK: ClassVar[str] = "block"

    def scan(self, files: list[str], schema: pa.Schema, columns: list[str]) -> ir.Table:
        """The named columns of Delta data files; timestamps are UTC without zone."""
        if files:
            paths = [file.removeprefix("file://") for file in files]
            table = self.backend.read_parquet(paths, hive_partitioning=True)
        else:
            table = self.backend.create_table(
                ibis.util.gen_name("empty"), plain(schema).empty_table(), temp=True
            )
        return table.select(
            **{
                name: table[name].cast("timestamp")
                if pa.types.is_timestamp(schema.field(name).type)
                else table[name]
                for name in columns
            }
        )

    def compiled(self, expression: ir.Table) -> str:
        """The query of an expression over a table named BLOCK, to be run on many blocks."""
        return str(self.backend.compile(expression))

    def query(self, query: str, block: pa.Table) -> pa.Table:
        """Run a compiled query on Arrow rows, without a copy."""
        return self.backend.con.from_arrow(block).query(self.BLOCK, query).to_arrow_table()

    def json_records(self, rows: pa.RecordBatch, first_offset: int) -> pa.RecordBatch:
        """Rows of any schema as RECORDS of one JSON object each, numbered from `first_offset`."""
        offsets = pa.array(range(first_offset, first_offset + rows.num_rows), pa.int64())
        numbered = pa.table({"record": rows.to_struct_array(), "offset": offsets})
        encoded = self.query(
            "SELECT encode(to_json(record)::VARCHAR) AS value, NULL::VARCHAR AS csv_header, "
            f'"offset" FROM {self.BLOCK} ORDER BY "offset"',
            numbered,
        )
        (batch,) = encoded.cast(RECORDS).combine_chunks().to_batches()
        return batch

    @contextmanager
    def stored(self, expression: ir.Table) -> Iterator[ir.Table]:
        """Run an expression once and keep its result for the block; it may spill to disk."""
        name = ibis.util.gen_name("stored")
        yield self.backend.create_table(name, expression, temp=True)
        self.backend.drop_table(name)

    def table(self, expression: ir.Table) -> pa.Table:
        """A small result."""
        return self.backend.to_pyarrow(expression)

    def strings(self, expression: ir.Table) -> list[str]:
        """The values of a one-column result."""
        return [v for v in self.table(expression).column(0).to_pylist() if v is not None]

    def stream(self, expression: ir.Table, schema: pa.Schema) -> pa.RecordBatchReader:
        """A result of any size, in batches, in the order and types of `schema`."""
        # Not Ibis' to_pyarrow_batches: it calls a method that DuckDB 2.0 has renamed.
        query = self.backend.compile(expression.select(*schema.names))
        batches = self.backend.con.sql(query).to_arrow_reader(BATCH_ROWS)
        return pa.RecordBatchReader.from_batches(
            schema, (pa.record_batch(_cast(batch, schema), schema=schema) for batch in batches)
        )


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> list[pa.Array]:
    return [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]


def plain(schema: pa.Schema) -> pa.Schema:
    """A schema as DuckDB is given it: no zones, all being UTC, and no maps, unused there."""
    return pa.schema(
        [
            pa.field(f.name, pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type)
            for f in schema
            if not pa.types.is_map(f.type)
        ]
    )
