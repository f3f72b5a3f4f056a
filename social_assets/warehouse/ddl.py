"""The DDL of ClickHouse's `cleaned.*` tables, derived from the contracts.

Belongs here: the tables that the loader fills. The tables behind them are dbt models.
"""

from __future__ import annotations

from collections.abc import Sequence

from social_assets.contracts.column import Column, ColumnType
from social_assets.contracts.contract import Contract

DATABASE = "cleaned"
LOADED = f"{DATABASE}.loaded_batches"
LOADED_UNTIL = f"{DATABASE}.loaded_until"
PENDING_DAYS = f"{DATABASE}.pending_days"
ENGINE = "MergeTree"
DEDUPLICATION_WINDOW = 10_000
"""How many insert tokens each table remembers: how far back it recognizes a repeated batch."""

_TYPES: dict[ColumnType, str] = {
    "integer": "Int64",
    "number": "Float64",
    "string": "String",
    "boolean": "Bool",
    "timestamp": "DateTime64(6, 'UTC')",
    "strings": "Array(String)",
}

_PROVENANCE = (
    ("source", "LowCardinality(String)", "file or kafka"),
    ("origin", "LowCardinality(String)", "File name or topic"),
    ("partition", "Int32", "Kafka partition, 0 for files"),
    ("offset", "Int64 CODEC(Delta, ZSTD)", "Kafka offset, or the record's number in its file"),
    ("ingested_at", "DateTime64(6, 'UTC') CODEC(Delta, ZSTD)", "When the lake took it"),
    ("batch_id", "LowCardinality(String)", "The load that brought it"),
    ("event_date", "Date", "Day the record belongs to, UTC: the partition"),
)

_ELEMENT = ("element_number", "Nullable(Int32)", "Number of the element in its Kafka record")


def create_database() -> str:
    """The statement that creates the database of the loader's tables."""
    return f"CREATE DATABASE IF NOT EXISTS {DATABASE}"


def create_table(contract: Contract, name: str | None = None) -> str:
    """`CREATE TABLE IF NOT EXISTS cleaned.<stream>`: one row for an accepted record.

    It is partitioned by event date, so that a rebuilt day is swapped as a whole. It is ordered by
    the key, in which the facts are built. It remembers insert tokens, so that a repeated batch
    changes nothing, in this table or behind it.
    """
    columns = ",\n  ".join(_column_lines(contract).values())
    return (
        f"CREATE TABLE IF NOT EXISTS {name or f'{DATABASE}.{contract.name}'} (\n  {columns}\n)\n"
        f"ENGINE = {ENGINE}\nPARTITION BY event_date\nORDER BY ({', '.join(contract.key)})\n"
        f"SETTINGS non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}\n"
        f"COMMENT {_quoted(contract.description)}"
    )


def create_records() -> dict[str, str]:
    """The statements that make the tables in which loaders record what is done, by table."""
    return {
        LOADED: (
            f"CREATE TABLE IF NOT EXISTS {LOADED} (\n"
            "  stream LowCardinality(String), batch_id String, rows UInt64,\n"
            "  loaded_at DateTime64(6, 'UTC') DEFAULT now64(6)\n"
            ") ENGINE = ReplacingMergeTree(loaded_at) ORDER BY (stream, batch_id)\n"
            "COMMENT 'One row a batch that the loader has put in cleaned.<stream>, whole'"
        ),
        LOADED_UNTIL: (
            f"CREATE TABLE IF NOT EXISTS {LOADED_UNTIL} (\n"
            "  stream LowCardinality(String), ingested_at DateTime64(6, 'UTC')\n"
            ") ENGINE = ReplacingMergeTree(ingested_at) ORDER BY stream\n"
            "COMMENT 'How far the micro-batches of each stream are in cleaned.<stream>'"
        ),
        PENDING_DAYS: (
            f"CREATE TABLE IF NOT EXISTS {PENDING_DAYS} (\n"
            "  stream LowCardinality(String), layer LowCardinality(String), event_date Date32,\n"
            "  run_id String, is_pending UInt8,\n"
            "  changed_at DateTime64(6, 'UTC') DEFAULT now64(6)\n"
            ") ENGINE = ReplacingMergeTree(changed_at) ORDER BY (stream, layer, event_date)\n"
            "COMMENT 'Days of a layer that do not yet hold what the layer before it holds'"
        ),
    }


def add_columns(contract: Contract, names: Sequence[str]) -> str:
    """`ALTER TABLE cleaned.<stream>` that adds columns which it lacks."""
    lines = _column_lines(contract)
    added = ", ".join(f"ADD COLUMN IF NOT EXISTS {lines[name]}" for name in names)
    return f"ALTER TABLE {DATABASE}.{contract.name} {added}"


def modify_columns(contract: Contract, names: Sequence[str]) -> str:
    """`ALTER TABLE cleaned.<stream>` that gives columns their declared types."""
    lines = _column_lines(contract)
    modified = ", ".join(f"MODIFY COLUMN {lines[name]}" for name in names)
    return f"ALTER TABLE {DATABASE}.{contract.name} {modified}"


def column_types(contract: Contract) -> dict[str, str]:
    """The type of each column of `cleaned.<stream>`."""
    types = {c.name: clickhouse_type(c) for c in contract.cleaned_columns}
    return types | {name: kind.partition(" CODEC")[0] for name, kind, _ in _provenance(contract)}


def clickhouse_type(column: Column) -> str:
    """The ClickHouse type of a contract's column; `LowCardinality` if it has few values."""
    base = _TYPES[column.type]
    if column.type == "strings":
        return base
    # ClickHouse refuses LowCardinality of other types.
    if column.categorical and column.type == "string":
        return f"LowCardinality({f'Nullable({base})' if column.nullable else base})"
    return f"Nullable({base})" if column.nullable else base


def column_names(contract: Contract) -> list[str]:
    """The columns of `cleaned.<stream>`, in the table's order."""
    return [c.name for c in contract.cleaned_columns] + [
        name for name, _, _ in _provenance(contract)
    ]


def _column_lines(contract: Contract) -> dict[str, str]:
    lines = {
        c.name: _column_line(c.name, clickhouse_type(c), c.description)
        for c in contract.cleaned_columns
    }
    return lines | {
        name: _column_line(name, kind, told) for name, kind, told in _provenance(contract)
    }


def _provenance(contract: Contract) -> tuple[tuple[str, str, str], ...]:
    return _PROVENANCE if contract.explode is None else (*_PROVENANCE, _ELEMENT)


def _column_line(name: str, kind: str, comment: str) -> str:
    bare, _, codec = kind.partition(" CODEC")
    return f"{name} {bare} COMMENT {_quoted(comment)}" + (f" CODEC{codec}" if codec else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
