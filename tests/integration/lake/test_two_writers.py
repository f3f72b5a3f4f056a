"""Two writers of one table that share no lock: no batch lands twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.contracts.registry import contracts
from social_assets.lake.delta import Applied, AppliedElsewhereError, LakeTable
from tests.lake_of_tests import lake_in

BATCH = Applied("batch-1", 1, is_once=True)


@pytest.fixture
def writers(tmp_path: Path) -> tuple[LakeTable, LakeTable]:
    """The same raw table in two installations with separate locks."""
    contract = next(iter(contracts()))
    one, two = (
        lake_in(tmp_path, name).table("raw", contract) for name in ("machine-a", "machine-b")
    )
    return one, two


def rows(table: LakeTable) -> pa.Table:
    """A record with only its day."""
    columns = [pa.array([_value(each.type)], each.type) for each in table.schema]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _value(kind: pa.DataType) -> object:
    if pa.types.is_date32(kind):
        return date(2026, 3, 2)
    if pa.types.is_map(kind):
        return []
    return b"" if pa.types.is_binary(kind) else "" if pa.types.is_string(kind) else 0


def landing_meanwhile(other: LakeTable) -> Iterator[pa.RecordBatch]:
    """A reader that opens the table, after which the other writer lands a batch."""
    yield from rows(other).to_batches()
    # In another thread: Delta's library refuses calls during its write.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(other.append, rows(other), BATCH).result()
    yield from rows(other).to_batches()


def test_a_batch_that_another_writer_lands_meanwhile_is_not_doubled(
    writers: tuple[LakeTable, LakeTable],
) -> None:
    mine, other = writers
    mine.append(rows(mine), Applied("earlier", 1))
    reader = pa.RecordBatchReader.from_batches(mine.schema, landing_meanwhile(other))
    with pytest.raises(AppliedElsewhereError, match="batch-1"):
        mine.append(reader, Applied(BATCH.app_id, 1))
    assert mine.read().num_rows == 2


def test_a_batch_that_another_writer_landed_after_the_look_is_not_doubled(
    writers: tuple[LakeTable, LakeTable],
) -> None:
    mine, other = writers
    assert mine.applied_version(BATCH.app_id) is None
    other.append(rows(other), BATCH)
    with pytest.raises(AppliedElsewhereError, match="batch-1"):
        mine.append(rows(mine), BATCH)
    assert mine.read().num_rows == 1


def test_different_batches_of_two_writers_both_land(writers: tuple[LakeTable, LakeTable]) -> None:
    mine, other = writers
    mine.append(rows(mine), Applied("earlier", 1))
    reader = pa.RecordBatchReader.from_batches(mine.schema, landing_meanwhile(other))
    mine.append(reader, Applied("batch-2", 1))
    assert mine.read().num_rows == 4


def test_offsets_that_another_writer_has_moved_on_are_not_landed_again(
    writers: tuple[LakeTable, LakeTable],
) -> None:
    mine, other = writers
    mine.append(rows(mine), Applied("partition-0", 10, is_next=True))
    other.append(rows(other), Applied("partition-0", 20, is_next=True, before=10))
    with pytest.raises(AppliedElsewhereError, match="partition-0"):
        mine.append(rows(mine), Applied("partition-0", 25, is_next=True, before=10))
    mine.append(rows(mine), Applied("partition-0", 25, is_next=True, before=20))
    assert mine.read().num_rows == 3
