"""Rows that wait are the same in memory and in a file, and a file never outlives its process."""

from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from social_assets.pipeline.validation import spilled_rows
from social_assets.pipeline.validation.spilled_rows import SpillDiskError, SpilledRows

SCHEMA = pa.schema([pa.field("text", pa.string())])


def table(texts: list[str]) -> pa.Table:
    return pa.table({"text": pa.array(texts, pa.string())}, schema=SCHEMA)


def texts_of(rows: SpilledRows) -> list[str]:
    return [text for batch in rows for text in batch.column("text").to_pylist()]


@given(st.lists(st.lists(st.text(max_size=20), max_size=5), max_size=8), st.integers(-1, 200))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_in_the_order_of_adding_however_many_fit_into_memory(
    tmp_path: Path, added: list[list[str]], held_bytes: int
) -> None:
    rows = SpilledRows(tmp_path, SCHEMA)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spilled_rows, "HELD_BYTES", held_bytes)
        for texts in added:
            rows.add(table(texts))
    rows.finish()
    expected = [text for texts in added for text in texts]
    assert texts_of(rows) == texts_of(rows) == expected
    rows.close()


def test_the_file_has_no_name_so_a_killed_process_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled_rows, "HELD_BYTES", 0)
    rows = SpilledRows(tmp_path, SCHEMA)
    rows.add(table(["a"]))
    assert list(tmp_path.iterdir()) == []
    rows.finish()
    assert texts_of(rows) == ["a"]
    rows.close()


def test_a_full_disk_is_an_error_that_names_the_folder_and_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled_rows, "HELD_BYTES", 0)
    rows = SpilledRows(tmp_path, SCHEMA)
    with (
        Path("/dev/full").open("r+b", buffering=0) as full,
        pytest.raises(SpillDiskError, match="SOCIAL_ASSETS_ENGINE_SPILL") as raised,
    ):
        monkeypatch.setattr(spilled_rows.tempfile, "TemporaryFile", lambda dir: full)
        rows.add(table(["a"]))
    assert str(tmp_path) in str(raised.value)
    assert raised.value.__cause__.errno == errno.ENOSPC  # type: ignore[union-attr]
    rows.close()
