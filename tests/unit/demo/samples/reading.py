"""Reads sample files record by record, like a simple consumer."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from social_assets.contracts.column import match_key


def lines_of(path: Path) -> list[bytes]:
    """Every line of a text file that is not blank."""
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    return [line for line in data.split(b"\n") if line]


def parsed(path: Path) -> Iterator[dict[str, Any] | None]:
    """Each record of a JSON or Parquet file by match key; None if it is no JSON object."""
    if path.suffix == ".parquet":
        for row in pq.read_table(path).to_pylist():
            yield {match_key(name): value for name, value in row.items()}
        return
    for line in lines_of(path):
        try:
            record = json.loads(line)
        except ValueError:  # not JSON, or not UTF-8
            record = None
        is_object = isinstance(record, dict)
        yield {match_key(n): v for n, v in record.items()} if is_object else None
