"""The disk of a Delta table is full."""

from __future__ import annotations

import pyarrow as pa
import pytest

from social_assets.lake.delta import LakeTable
from social_assets.lake.storage.errors import LakeDiskError
from tests.small_disk import MakeSmallDisk


def test_a_full_disk_is_named_with_table_and_remedy_and_the_table_is_unchanged(
    small_disk: MakeSmallDisk,
) -> None:
    disk = small_disk(8)
    rows = pa.table({"event_date": ["2026-03-01"] * 1_000, "number": list(range(1_000))})
    table = LakeTable(str(disk.path / "posts"), rows.schema, ("event_date",))
    table.append(rows)
    disk.fill()
    with pytest.raises(LakeDiskError) as raised:
        table.append(rows)
    for part in (table.uri, "No space left on device", "The table is as it was", "Make room"):
        assert part in str(raised.value)
    disk.make_room()
    assert table.read().num_rows == 1_000
    table.append(rows)
    assert table.read().num_rows == 2_000
