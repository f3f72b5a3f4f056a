"""Records of any size, in days larger than the engine's memory: no row is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import ModuleType

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.pipeline import landed_batches
from social_assets.pipeline.files import file_batches
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, land_files, rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts

DAY = date(2026, 1, 1)


def post(number: int, content: str) -> str:
    return (
        json.dumps(
            {
                "post_id": f"p{number}",
                "account_id": 1,
                "platform": "X",
                "media_type": "text",
                "content": content,
            }
        )
        + "\n"
    )


def with_memory(stores: StreamStores, memory: str) -> StreamStores:
    engine = replace(stores.stores.engine, memory_limit=memory)
    return replace(stores, stores=replace(stores.stores, engine=engine))


@pytest.mark.parametrize(
    ("rows", "width"),
    [pytest.param(4_000, 10_000, marks=pytest.mark.endurance), (150, 200_000)],
)
def test_a_day_larger_than_the_engines_memory_is_loaded_and_made_anew(
    stream: Callable[[str], StreamStores], tmp_path: Path, rows: int, width: int
) -> None:
    stores = with_memory(stream("posts"), "60MB")
    path = tmp_path / "posts.ndjson"
    path.write_text("".join(post(n % (rows - 1), "x" * width) for n in range(rows)))
    ingested = ingest_files(stores, [path], DAY)
    assert not ingested.failures
    expected = Counts(rows, rows - 1, 1, 0, rows - 1)
    assert counts(stores) == expected
    rebuild(stores, [DAY])
    assert counts(stores) == expected


def test_a_day_worked_on_in_parts_has_the_rows_of_one_worked_on_whole(
    stream: Callable[[str], StreamStores], tmp_path: Path
) -> None:
    paths = [tmp_path / "one.ndjson", tmp_path / "two.ndjson"]
    for start, path in enumerate(paths):
        good = (post(start * 500 + n, "x" * 1_800) for n in range(1_000))
        path.write_text("".join([*good, "no json\n", post(3, "later"), '{"post_id": 7}\n']))
    whole = stream("posts")
    ingest_files(whole, paths, DAY)
    expected = contents(whole)
    rebuild(with_memory(whole, "48MB"), [DAY])
    assert contents(whole) == expected


def test_a_record_over_the_limit_is_rejected_with_its_beginning_and_place(
    stream: Callable[[str], StreamStores], tmp_path: Path
) -> None:
    stores = stream("posts")
    path = tmp_path / "posts.ndjson"
    path.write_text(post(1, "a") + post(2, "x" * (3 << 20)) + post(3, "b"))
    ingest_files(stores, [path], DAY)
    assert counts(stores) == Counts(3, 2, 0, 1, 2)
    (row,) = stores.quarantine.read().to_pylist()
    assert (row["offset"], row["reasons"]) == (2, ["record_too_long"])
    assert len(row["value"]) == stores.contract.max_record_bytes + 1


def test_a_file_that_the_engine_has_no_memory_for_fails_alone(
    stream: Callable[[str], StreamStores], tmp_path: Path
) -> None:
    stores = with_memory(stream("video_interactions"), "96MB")
    wide, narrow = tmp_path / "wide.parquet", tmp_path / "narrow.parquet"
    for path, profession in ((wide, "x" * (64 << 20)), (narrow, "x")):
        rows = [{"user_id": 1, "video_id": n, "age": 30, "profession": profession} for n in (1, 2)]
        pq.write_table(pa.Table.from_pylist(rows), path)
    ingested = ingest_files(stores, [wide, narrow], DAY)
    (failure,) = ingested.failures
    for part in ("wide.parquet", "no memory for one of its records", "SOCIAL_ASSETS_ENGINE_MEMORY"):
        assert part in str(failure)
    assert [file.path for file in ingested.landed] == [narrow]
    assert stores.raw.rows_by_day() == {DAY: 2}


def test_a_batch_that_cannot_be_cleaned_is_quarantined_and_comes_back_with_a_rebuild(
    stream: Callable[[str], StreamStores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("posts")
    bad, good = tmp_path / "bad.ndjson", tmp_path / "good.ndjson"
    bad.write_text(post(1, "a") + post(2, "b"))
    good.write_text(post(3, "c"))
    with monkeypatch.context() as patched:
        _out_of_memory(patched)
        ingest_files(stores, [bad], DAY)
    (batch,) = quarantined(stores).values()
    assert batch.origin == "bad.ndjson"
    assert "Out of Memory" in batch.reason
    ingest_files(stores, [good], DAY)
    assert stores.loader.rows_by_day() == {DAY: 1}
    rebuild(stores, [DAY])
    assert not quarantined(stores)
    assert counts(stores) == Counts(3, 3, 0, 0, 3)
    ingest_files(stores, [bad], DAY)
    assert counts(stores) == Counts(3, 3, 0, 0, 3)


def test_a_pending_batch_that_cannot_be_cleaned_is_quarantined(
    stream: Callable[[str], StreamStores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("posts")
    bad, good = tmp_path / "bad.ndjson", tmp_path / "good.ndjson"
    bad.write_text(post(1, "a") + post(2, "b"))
    good.write_text(post(3, "c"))
    land_files(stores, [bad], DAY)  # and here the process ends
    with monkeypatch.context() as patched:
        _out_of_memory(patched, step=(landed_batches, "clean_batch"))
        ingest_files(stores, [good], DAY)
    (batch,) = quarantined(stores).values()
    assert batch.origin == "bad.ndjson"
    assert stores.loader.rows_by_day() == {DAY: 1}


def test_an_error_that_is_no_fault_of_the_batch_sets_nothing_aside(
    stream: Callable[[str], StreamStores], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = stream("posts")
    path = tmp_path / "posts.ndjson"
    path.write_text(post(1, "a"))
    with monkeypatch.context() as patched:
        _out_of_memory(patched, "No space left on device")
        with pytest.raises(duckdb.OutOfMemoryException):
            ingest_files(stores, [path], DAY)
    assert not quarantined(stores)
    ingest_files(stores, [], DAY)
    assert counts(stores) == Counts(1, 1, 0, 0, 1)


def _out_of_memory(
    patched: pytest.MonkeyPatch,
    why: str = "could not allocate",
    step: tuple[ModuleType, str] = (file_batches, "append_batch"),
) -> None:
    def fails(*_: object) -> None:
        raise duckdb.OutOfMemoryException(f"Out of Memory Error: {why}")

    patched.setattr(*step, fails)
