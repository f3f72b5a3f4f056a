"""Small streams with one column to try, and what the engine reads in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from tests.integration.transform.raw_records import Validate


def stream_of(
    kind: object, metadata: dict[str, Any] | None = None, **contract_options: Any
) -> Contract:
    """A stream with the key `id` and a nullable column `value` of a type and its options."""
    namespace = {
        "__annotations__": {"id": int, "value": kind},
        "__doc__": "A stream of a test.",
        "__module__": __name__,
        "value": pa.Field(nullable=True, metadata=metadata),
    }
    model = type("Row", (pa.DataFrameModel,), namespace)
    return Contract(
        name="tried",
        model=model,
        key=("id",),
        formats=("csv", "ndjson", "parquet"),
        owner="team:x",
        **contract_options,
    )


def read_json(validate: Validate, contract: Contract, written: Iterable[str]) -> list[Any]:
    """The values that JSON literals become; of a rejected record, its reasons."""
    rows = validate(contract, [f'{{"id": 1, "value": {each}}}'.encode() for each in written])
    return [row["reasons"] or _utc(row["value"]) for row in rows]


def read_csv(validate: Validate, contract: Contract, written: Iterable[str]) -> list[Any]:
    """The values that CSV fields become; of a rejected record, its reasons."""
    rows = validate(contract, [f'1,"{each}"'.encode() for each in written], "id,value")
    return [row["reasons"] or _utc(row["value"]) for row in rows]


def read_texts(validate: Validate, contract: Contract, texts: Iterable[str]) -> list[Any]:
    """What JSON texts become."""
    return read_json(validate, contract, map(json.dumps, texts))


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
