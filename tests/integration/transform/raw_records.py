"""Rows of raw from records given as bytes, for the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from social_assets.lake.schemas import RAW
from social_assets.pipeline.validation.rows import INPUT_COLUMNS

ARRIVAL = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
LANDING_DATE = datetime(2026, 1, 1, tzinfo=UTC)

Validate = Callable[..., list[dict[str, Any]]]


def raw_table(values: Sequence[bytes], csv_header: str | None, source: str) -> pa.Table:
    count = len(values)
    columns = {
        "value": pa.array(values, pa.binary()),
        "csv_header": pa.array([csv_header] * count, pa.string()),
        "source": [source] * count,
        "origin": ["origin"] * count,
        "partition": pa.array([0] * count, pa.int32()),
        "offset": range(1, count + 1),
        "timestamp": [LANDING_DATE if source == "file" else ARRIVAL] * count,
        "ingested_at": [ARRIVAL] * count,
        "batch_id": ["batch"] * count,
        "event_date": [date(2026, 1, 1)] * count,
    }
    typed = pa.table({name: columns[name] for name in INPUT_COLUMNS})
    return typed.cast(pa.schema([RAW.field(name) for name in INPUT_COLUMNS]))
