"""A data file has a dictionary only of a column whose values repeat."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from social_assets.lake.delta import LakeTable

SCHEMA = pa.schema(
    [
        pa.field("post_id", pa.string()),
        pa.field("platform", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("event_date", pa.date32(), nullable=False),
    ]
)
DAY = date(2026, 3, 2)


def rows(count: int) -> pa.Table:
    columns = {
        "post_id": pa.array([f"p{number}" for number in range(count)]),
        "platform": pa.array([("X", "TikTok")[number % 2] for number in range(count)]),
        "tags": pa.array([["sports", "music"]] * count),
        "event_date": pa.repeat(pa.scalar(DAY), count),
    }
    return pa.table(columns, schema=SCHEMA)


def has_dictionary(table: LakeTable) -> dict[str, bool]:
    """Whether the table's only file has one, by column."""
    (file,) = table.files([DAY])
    group = pq.ParquetFile(file).metadata.row_group(0)
    columns = [group.column(index) for index in range(group.num_columns)]
    return {each.path_in_schema.split(".")[0]: each.has_dictionary_page for each in columns}


def test_ids_have_no_dictionary_and_names_of_platforms_have_one(tmp_path: Path) -> None:
    table = LakeTable(str(tmp_path / "cleaned"), SCHEMA, ("event_date",))
    table.replace([DAY], rows(5_000).to_reader())
    assert has_dictionary(table) == {"post_id": False, "platform": True, "tags": False}
    assert table.read().select(SCHEMA.names).sort_by("post_id") == rows(5_000).sort_by("post_id")


def test_a_table_without_rows_is_written(tmp_path: Path) -> None:
    table = LakeTable(str(tmp_path / "cleaned"), SCHEMA, ("event_date",))
    table.replace([DAY], rows(0).to_reader())
    assert table.files([DAY]) == []
