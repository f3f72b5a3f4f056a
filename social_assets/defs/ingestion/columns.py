"""The columns of a layer as the UI shows them: types, constraints, descriptions, lineage.

Belongs here: the translation of contracts and schemas to Dagster's metadata.
"""

from __future__ import annotations

import pyarrow as pa
from dagster import (
    AssetKey,
    TableColumn,
    TableColumnConstraints,
    TableColumnDep,
    TableColumnLineage,
    TableSchema,
)

from social_assets.contracts.contract import Contract
from social_assets.lake.schemas import ELEMENT, PROVENANCE, cleaned_schema, schema

_MEANING = {
    "value": "The record's bytes as they came",
    "key": "Kafka key",
    "headers": "Kafka headers",
    "csv_header": "Header line of a CSV record's file, below its dialect if not the default",
    "source": "file or kafka",
    "origin": "File name or topic",
    "partition": "Kafka partition, 0 for files",
    "offset": "Kafka offset, or the record's number in its file",
    "element_number": "Number of the element in its Kafka record; null for files",
    "timestamp": "Kafka timestamp, or landing date of the file",
    "ingested_at": "When the lake took it",
    "batch_id": "The load that brought it: for a file, the hash of its content",
    "event_date": "Day the record belongs to, UTC: the partition",
    "event_time": "When it happened, UTC",
    "reasons": "Every rule that the record breaks, or `duplicate`",
    "verdict": "rejected or duplicate",
}


def raw_columns(contract: Contract) -> TableSchema:
    """The columns of a stream's raw table."""
    return _schema(schema("raw", contract))


def quarantine_columns(contract: Contract) -> TableSchema:
    """The columns of a stream's quarantine table."""
    return _schema(schema("quarantine", contract))


def cleaned_columns(contract: Contract) -> TableSchema:
    """The columns of a stream's cleaned table, with the contract's rules as constraints."""
    stored = cleaned_schema(contract)
    own = [
        TableColumn(
            name=column.name,
            type=str(stored.field(column.name).type),
            description=column.description,
            constraints=TableColumnConstraints(
                nullable=column.nullable,
                other=[str(check.error) for check in column.checks]
                + (["part of the key within event_date"] if column.name in contract.key else []),
            ),
        )
        for column in contract.cleaned_columns
    ]
    rest = [f for f in stored if f.name in _provenance(contract)]
    return TableSchema(columns=[*own, *_schema(pa.schema(rest)).columns])


def cleaned_lineage(contract: Contract) -> TableColumnLineage:
    """Each cleaned column's origin in raw: a field of the record's value, or the provenance."""
    raw = AssetKey(["raw", contract.name])
    value = TableColumnDep(asset_key=raw, column_name="value")
    deps = {column.name: [value] for column in contract.cleaned_columns}
    deps |= {
        name: [TableColumnDep(asset_key=raw, column_name=name)] for name in _provenance(contract)
    }
    return TableColumnLineage(deps_by_column=deps)


def _provenance(contract: Contract) -> tuple[str, ...]:
    element = () if contract.explode is None else (ELEMENT.name,)
    return (*PROVENANCE.names, "event_date", *element)


def _schema(stored: pa.Schema) -> TableSchema:
    return TableSchema(
        columns=[
            TableColumn(
                name=field.name,
                type=str(field.type),
                description=_MEANING[field.name],
                constraints=TableColumnConstraints(nullable=field.nullable),
            )
            for field in stored
        ]
    )
