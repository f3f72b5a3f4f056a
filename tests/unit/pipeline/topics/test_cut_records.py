"""Records of a topic are cut into rows, part by part, and each part ends between two records."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pandera.ibis as pd
import pyarrow as pa
import pytest

from social_assets.contracts.contract import Contract, Explode
from social_assets.ingest.kafka.records import KAFKA_RECORDS
from social_assets.pipeline.topics import cut_records as module
from social_assets.pipeline.topics.cut_records import CutRecords, cut_records, next_offsets


class Comment(pd.DataFrameModel):
    """Comments, one row each."""

    comment_id: str = pd.Field(metadata={"source": "comments[].id"}, description="The comment")


CONTRACT = Contract(
    name="comments",
    model=Comment,
    key=("comment_id",),
    formats=("ndjson",),
    owner="team:test",
    explode=Explode("comments"),
)


def post(*comments: object, **others: object) -> bytes:
    return json.dumps({"comments": comments, **others}).encode()


def records(values: Sequence[bytes | None], partitions: Sequence[int] = ()) -> pa.RecordBatch:
    count = len(values)
    columns = {
        "value": values,
        "key": [f"k{n}".encode() for n in range(count)],
        "headers": [[("h", b"%d" % n)] for n in range(count)],
        "partition": list(partitions) or [0] * count,
        "offset": range(10, 10 + count),
        "timestamp": [None] * count,
    }
    arrays = [pa.array(columns[field.name], field.type) for field in KAFKA_RECORDS]
    return pa.RecordBatch.from_arrays(arrays, schema=KAFKA_RECORDS)


def cut(
    values: Sequence[bytes | None], most_rows: int = 1000, most_bytes: int = 1 << 20
) -> list[CutRecords]:
    return list(cut_records(records(values), CONTRACT, most_rows, most_bytes))


def rows(parts: Sequence[CutRecords]) -> list[tuple[int, int, bytes | None]]:
    found = pa.concat_tables([part.rows for part in parts]).to_pylist()
    return [(row["offset"], row["element_number"], row["value"]) for row in found]


VALUES = [post(1, 2, x=1), None, post(), b"{", post(3), b"", post(4, 5, 6)]
CUT = [
    (10, 1, post(1, x=1)),
    (10, 2, post(2, x=1)),
    (11, 1, None),
    (13, 1, b"{"),
    (14, 1, post(3)),
    (15, 1, b""),
    (16, 1, post(4)),
    (16, 2, post(5)),
    (16, 3, post(6)),
]


def test_each_row_has_the_place_of_its_record_and_its_number_in_it() -> None:
    (part,) = cut(VALUES)
    assert rows([part]) == CUT
    assert (part.stop, part.counts.records, part.counts.without) == (7, 7, 1)
    by_offset = {row["offset"]: (row["key"], row["headers"]) for row in part.rows.to_pylist()}
    assert by_offset[16] == (b"k6", [("h", b"6")])


@pytest.mark.parametrize("most_rows", [1, 2, 3, 4, 8])
def test_a_part_ends_between_two_records(most_rows: int) -> None:
    parts = cut(VALUES, most_rows)
    assert rows(parts) == CUT
    assert parts[-1].stop == 7
    assert sum(part.counts.records for part in parts) == 7
    assert sum(part.counts.without for part in parts) == 1
    largest = max(part.rows.num_rows for part in parts)
    assert largest <= max(most_rows, 3)  # the largest record has three elements
    before = 0
    for part in parts:
        offsets = {row["offset"] - 10 for row in part.rows.to_pylist()}
        assert offsets <= set(range(before, part.stop))
        before = part.stop


def test_a_part_is_bounded_in_bytes() -> None:
    wide = [post(n, text="x" * 1000) for n in range(20)]
    parts = cut(wide, most_bytes=5000)
    assert all(part.rows["value"].nbytes < 6000 for part in parts)
    assert len(rows(parts)) == 20


def test_records_without_elements_still_move_the_offsets() -> None:
    (part,) = cut([post(), post()])
    assert (part.rows.num_rows, part.stop, part.counts.without) == (0, 2, 2)


def test_a_record_that_is_too_long_or_has_too_many_elements_stays_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RECORD_ROWS", 3)
    monkeypatch.setattr(module, "RECORD_BYTES", 1000)
    long = post(1, text="x" * (1 << 20))
    many = post(1, 2, 3, 4)
    wide = post(1, 2, text="y" * 600)
    values = [post(1), long, many, wide, post(2)]
    assert rows(cut(values, most_bytes=1 << 22)) == [
        (10, 1, post(1)),
        (11, 1, long),
        (12, 1, many),
        (13, 1, wide),
        (14, 1, post(2)),
    ]


def test_all_offsets_before_the_next_ones_are_in_the_parts_so_far() -> None:
    batch = records([post(n) for n in range(6)], [0, 0, 2, 2, 2, 5])
    after = {0: 40, 1: 7, 2: 41, 5: 42}
    assert next_offsets(batch, 0, after) == {0: 10, 1: 7, 2: 12, 5: 15}
    assert next_offsets(batch, 3, after) == {0: 40, 1: 7, 2: 13, 5: 15}
    assert next_offsets(batch, 6, after) == after
