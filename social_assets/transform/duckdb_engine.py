"""Runs expressions on DuckDB, within a bound of memory and threads.

Belongs here: all use of DuckDB: the connection and its settings, reading Delta's Parquet files,
temporary tables. What is computed belongs to `validate_block`.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

from resources.settings.variables import ENGINE_MEMORY
from social_assets.ingest.records import RECORDS
from social_assets.transform.parquet_values import ready_for_json
from social_assets.transform.queries.compiled_query import compiled_query

BATCH_ROWS = 32_768

_MEMORY = re.compile(r"([1-9][0-9]*) ?([KMGT]i?B)", re.IGNORECASE)


@dataclass(frozen=True)
class DuckDBEngine:
    """How to open DuckDB: `memory_limit` in DuckDB's notation (`640MB`); it spills to `spill`.

    `others` are further settings of DuckDB, by name. `queries` is the folder in which compiled
    queries over blocks wait for later processes; without it, each process compiles its own.
    """

    spill: Path
    threads: int = 2
    memory_limit: str = "640MB"
    others: tuple[tuple[str, str | int | bool], ...] = (("preserve_insertion_order", False),)
    queries: Path | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any], queries: Path) -> Self:
        """The engine with settings of DuckDB, and the folder for compiled queries."""
        own = ("temp_directory", "threads", "memory_limit")
        spill, threads, memory_limit = (settings[name] for name in own)
        others = tuple((name, value) for name, value in settings.items() if name not in own)
        return cls(Path(spill), threads, memory_limit, others, queries)

    def __post_init__(self) -> None:
        """Refuse settings that DuckDB would refuse later, with a less clear error."""
        if not _MEMORY.fullmatch(self.memory_limit):
            raise ValueError(
                f"engine memory ({ENGINE_MEMORY}) {self.memory_limit!r}: write a number and a "
                "unit, as 640MB or 2GiB"
            )
        if self.threads < 1:
            raise ValueError(f"engine threads {self.threads}: must be at least 1")

    @property
    def memory_bytes(self) -> int:
        """`memory_limit` as a number."""
        number, unit = _MEMORY.fullmatch(self.memory_limit).groups()  # type: ignore[union-attr]
        base = 1024 if "I" in unit.upper() else 1000
        factor: int = base ** (1 + "KMGT".index(unit[0].upper()))
        return int(number) * factor

    @property
    def part_bytes(self) -> int:
        """Records are processed in blocks of up to so many bytes."""
        return self.memory_bytes // 20

    def spill_folder(self) -> Path:
        """The spill folder; creates it."""
        self.spill.mkdir(parents=True, exist_ok=True)
        return self.spill

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection for the block, closed at its end with all its tables.

        The sessions of a process share one database in memory, and so its memory limit.
        """
        self.spill_folder()
        connection = _database(self, os.getpid()).cursor()
        # Otherwise a table's name that is unknown to DuckDB would mean a variable of Python.
        connection.execute("SET python_enable_replacements = false")
        try:
            yield Session(connection, self.queries)
        finally:
            connection.close()


# Opening a database takes 20 ms of CPU, a cursor 0.2. A process has one; tests may have more.
@lru_cache(maxsize=4)
def _database(engine: DuckDBEngine, process: int) -> duckdb.DuckDBPyConnection:
    """An empty database in memory, for its cursors. A forked process cannot use its parent's."""
    del process
    database = duckdb.connect(
        ":memory:",
        config={
            "threads": engine.threads,
            "memory_limit": engine.memory_limit,
            "temp_directory": str(engine.spill),
            **dict(engine.others),
        },
    )
    # Of all cursors; by default it is the machine's, and a time without offset would be local.
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


@dataclass(frozen=True)
class Session:
    """One DuckDB connection.

    Its tables are named by numbers, so that equal work gives equal expressions in every session,
    and each expression is compiled once a process; one over blocks, once an installation. For a
    small batch, compiling takes twice as long as running.
    """

    connection: duckdb.DuckDBPyConnection
    queries: Path | None = None
    BLOCK: ClassVar[str] = "block"
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False, compare=False)

    def scan(
        self,
        files: list[str],
        schema: pa.Schema,
        columns: list[str],
        *,
        with_file: bool = False,
        may_lack: bool = False,
    ) -> ir.Table:
        """The named columns of Delta data files; timestamps are UTC without zone.

        `may_lack`: files may lack columns that the table got later, which are null; costs the
        reading of each file's columns.

        `with_file` adds each row's file as `filename`; it needs at least one file.
        """
        if files:
            table = (
                self._stored_files(files, schema, columns, with_file=with_file)
                if "://" in files[0]
                else self._files(files, with_file=with_file, may_lack=may_lack)
            )
            if lacking := [each for each in columns if may_lack and each not in table.columns]:
                types = ibis.Schema.from_pyarrow(plain(schema))
                table = table.mutate(**{each: ibis.null(types[each]) for each in lacking})
        else:
            table = self.rows(plain(schema).empty_table())
        file_column = {"filename": table["filename"]} if with_file else {}
        return table.select(
            **file_column,
            **{
                name: table[name].cast("timestamp")
                if pa.types.is_timestamp(schema.field(name).type)
                else table[name]
                for name in columns
            },
        )

    def _files(self, files: list[str], *, with_file: bool, may_lack: bool) -> ir.Table:
        name = self._name("scan")
        paths = ", ".join(_quoted(_escaped(file)) for file in files)
        self.connection.execute(
            f"CREATE TEMP VIEW {name} AS SELECT * FROM read_parquet([{paths}], "
            f"hive_partitioning = true, filename = {with_file}, union_by_name = {may_lack})"
        )
        columns = self.connection.sql(f"FROM {name} LIMIT 0").to_arrow_table().schema
        return ibis.table(ibis.Schema.from_pyarrow(columns), name=name)

    def _stored_files(
        self, urls: list[str], schema: pa.Schema, columns: list[str], *, with_file: bool
    ) -> ir.Table:
        """Files of an object store: what `_files` does for local ones."""
        # Imported here: a lake in a folder does not need it.
        from social_assets.lake.storage.file_system import dataset_of, rows_with_files

        name = self._name("scan")
        if not with_file:
            self.connection.register(name, dataset_of(urls, schema))
            return ibis.table(ibis.Schema.from_pyarrow(plain(schema)), name=name)
        # Only a scan of the dataset tells files, and it is read once: the rows may spill to disk.
        rows = rows_with_files(urls, schema, columns)
        source = self._name("rows")
        self.connection.register(source, rows)
        self.connection.execute(f"CREATE TEMP TABLE {name} AS FROM {source}")
        return ibis.table(ibis.Schema.from_pyarrow(plain(rows.schema)), name=name)

    def rows(self, table: pa.Table) -> ir.Table:
        """Arrow rows as a table, without a copy."""
        name = self._name("rows")
        self.connection.register(name, table)
        return ibis.table(ibis.Schema.from_pyarrow(table.schema), name=name)

    def constant(self, text: str) -> ir.StringValue:
        """A text that differs between calls, passed as a variable so that the query stays
        the same.
        """
        name = self._name("constant")
        self.connection.execute(f"SET VARIABLE {name} = $1", [text])
        return _variable(name)

    def compiled(self, expression: ir.Table) -> str:
        """Compile an expression to a query."""
        return compiled_query(expression.op(), None)

    def block_query(self, query: str, schema: pa.Schema) -> BlockQuery:
        """A compiled query over a table named BLOCK, to run on many blocks of this schema."""
        return BlockQuery(self.connection, query, schema)

    def query(self, query: str, block: pa.Table) -> pa.Table:
        """Run a compiled query on Arrow rows, without a copy."""
        answer = self.connection.from_arrow(block).query(self.BLOCK, query)
        if answer is None:
            raise ValueError(f"the statement has no rows to return: {query}")
        return answer.to_arrow_table()

    def json_records(self, rows: pa.RecordBatch, first_offset: int) -> pa.RecordBatch:
        """Rows of any schema as RECORDS of one JSON object each, numbered from `first_offset`.

        Rows that need too much memory are processed in halves.
        """
        try:
            return self._json_records(rows, first_offset)
        except duckdb.OutOfMemoryException as error:
            if is_of_disk(error) or rows.num_rows == 1:
                raise
        half = rows.num_rows // 2
        first = self.json_records(rows.slice(0, half), first_offset)
        return pa.concat_batches([first, self.json_records(rows.slice(half), first_offset + half)])

    def _json_records(self, rows: pa.RecordBatch, first_offset: int) -> pa.RecordBatch:
        offsets = pa.array(range(first_offset, first_offset + rows.num_rows), pa.int64())
        ready = ready_for_json(rows, self.query)
        numbered = pa.table({"record": ready.to_struct_array(), "offset": offsets})
        encoded = self.query(
            "SELECT encode(to_json(record)::VARCHAR) AS value, NULL::VARCHAR AS csv_header, "
            f'"offset" FROM {self.BLOCK} ORDER BY "offset"',
            numbered,
        )
        (batch,) = encoded.cast(RECORDS).combine_chunks().to_batches()
        return batch

    @contextmanager
    def stored(self, expression: ir.Table) -> Iterator[ir.Table]:
        """Run an expression once and keep its result for the block; the result may spill
        to disk.
        """
        name = self._name("stored")
        self.connection.execute(f"CREATE TEMP TABLE {name} AS {self.compiled(expression)}")
        yield ibis.table(expression.schema(), name=name)
        self.connection.execute(f"DROP TABLE {name}")

    def table(self, expression: ir.Table) -> pa.Table:
        """Run an expression with a small result."""
        answer = self.connection.sql(self.compiled(expression)).to_arrow_table()
        return answer.cast(expression.schema().to_pyarrow())

    def strings(self, expression: ir.Table) -> list[str]:
        """The values of a one-column result."""
        return [v for v in self.table(expression).column(0).to_pylist() if v is not None]

    def stream(self, expression: ir.Table, schema: pa.Schema) -> pa.RecordBatchReader:
        """Stream a result of any size in batches, with the order and types of `schema`."""
        query = self.compiled(expression.select(*schema.names))
        batches = self.connection.sql(query).to_arrow_reader(BATCH_ROWS)
        return pa.RecordBatchReader.from_batches(
            schema, (pa.record_batch(_cast(batch, schema), schema=schema) for batch in batches)
        )

    def _name(self, what: str) -> str:
        return f"{what}_{next(self._numbers)}"


class BlockQuery:
    """A query that is planned once and run on many blocks: planning takes 45 ms, a small block 4.

    It has a connection of its own, since a view that another statement creates on the same one
    would have it planned again.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema
    ) -> None:
        self._connection = connection.cursor()
        self._source = _BlockSource(schema)
        self._connection.register(Session.BLOCK, self._source)
        self._connection.execute(f"PREPARE block_query AS {query}")

    def run(self, block: pa.Table) -> pa.Table:
        """The answer for a block, in any order. The block is read without a copy."""
        self._source.block = block
        try:
            return self._connection.sql("EXECUTE block_query").to_arrow_table()
        finally:
            self._source.block = None

    def close(self) -> None:
        """Close its connection."""
        self._connection.close()


class _BlockSource:
    """The block of a prepared query, by Arrow's PyCapsule interface: the engine asks for the rows
    each time that it runs.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self.block: pa.Table | None = None

    def __arrow_c_schema__(self) -> object:
        return self._schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        rows = self._schema.empty_table() if self.block is None else self.block
        return rows.__arrow_c_stream__(requested_schema)


@ibis.udf.scalar.builtin(name="getvariable", signature=(("string",), "string"))
def _variable(of: str) -> str:  # type: ignore[empty-body]
    """A variable of the connection."""


def is_of_disk(error: duckdb.Error) -> bool:
    """Whether the engine ran out of memory because the disk of the spill folder is full."""
    return any(word in str(error) for word in ("max_temp_directory_size", "No space left"))


def _escaped(path: str) -> str:
    """Escape a path, so that DuckDB does not read it as a pattern."""
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def _quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> list[pa.Array]:
    return [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]


def plain(schema: pa.Schema) -> pa.Schema:
    """A schema for DuckDB: without time zones, as all times are UTC, and without maps."""
    return pa.schema(
        [
            pa.field(f.name, pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type)
            for f in schema
            if not pa.types.is_map(f.type)
        ]
    )
