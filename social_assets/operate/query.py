"""SQL queries of the warehouse, for the command line: results of any length, block by block.

Belongs here: running the query. `cli.commands.sql` prints or writes the rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resources.clickhouse.resource import ClickHouseResource

COMMENT = "social-assets sql"

Row = Sequence[object]

_CHUNK_BYTES = 1 << 20


class OutputError(OSError):
    """The output file could not be written completely."""


@dataclass(frozen=True)
class QueryRows:
    """The columns' names, and the rows block by block."""

    names: tuple[str, ...]
    blocks: Iterator[Sequence[Row]]


def run_query(query: str) -> tuple[Sequence[str], Sequence[Row]]:
    """Column names and all rows of a query. Raises clickhouse-connect's errors."""
    with ClickHouseResource().client(COMMENT) as client:
        result = client.query(query)
        return result.column_names, result.result_rows


@contextmanager
def streamed(query: str) -> Iterator[QueryRows]:
    """The result of a query, read from the server as it is consumed.

    If it is not read to its end, the connection is closed, and the server ends the query. Raises
    clickhouse-connect's errors, also while blocks are read.
    """
    with ClickHouseResource().client(COMMENT) as client:
        context = client.create_query_context(query=query)
        if context.is_command or context.is_insert:
            done = client.query(query)
            yield QueryRows(_distinct(done.column_names), iter([done.result_rows]))
            return
        stream = client.query_row_block_stream(query)
        with stream:
            names = getattr(stream.source, "column_names", ())
            yield QueryRows(_distinct(names), iter(stream))


def write_parquet(query: str, output: Path) -> int:
    """Write a query's result to a Parquet file, which appears when it is complete; returns rows.

    The server makes the file, so that every type is preserved. Raises OutputError, and
    clickhouse-connect's errors.
    """
    import pyarrow.parquet as pq

    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with (
            ClickHouseResource().client(COMMENT) as client,
            client.raw_stream(query, fmt="Parquet") as stream,
            part.open("wb") as file,
        ):
            while chunk := stream.read(_CHUNK_BYTES):
                file.write(chunk)
        try:
            rows: int = pq.read_metadata(part).num_rows
        except (ValueError, OSError) as error:
            raise OutputError(
                f"{output}: the server's answer is no complete Parquet file ({error}); "
                "nothing was written"
            ) from error
        part.replace(output)
        return rows
    finally:
        part.unlink(missing_ok=True)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Make the names distinct, since a JSON object has each once: `a`, `a_2`."""
    found: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return tuple(found)
