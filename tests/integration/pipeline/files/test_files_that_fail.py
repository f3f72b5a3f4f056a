"""Any error of a file fails that file alone; an error of the machine fails the load instead."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from social_assets.pipeline.files import land
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.pipeline.accounts import Counts, counts

StreamOf = Callable[[str], StreamStores]
ROW = {
    "community_id": 1,
    "user_id": 2,
    "age": 30,
    "community_name": "a",
    "gender": "f",
    "platform": "X",
    "membership_status": "active",
}


@pytest.fixture
def community(stream: StreamOf) -> StreamStores:
    return stream("community_interactions")


def written(path: Path, number: int = 1, **more: pa.Array) -> Path:
    """A file with one good record, and more columns."""
    columns = {name: pa.array([value]) for name, value in (ROW | {"user_id": number}).items()}
    pq.write_table(pa.table(columns | more), path)
    return path


def twice_a_key() -> pa.Array:
    return pa.array([[("a", 1), ("a", 2)]], pa.map_(pa.string(), pa.int64()))


def test_columns_that_the_contract_does_not_read_are_not_read(
    community: StreamStores, tmp_path: Path
) -> None:
    half = pa.array([1.5], pa.float32()).cast(pa.float16())
    file = written(tmp_path / "a.parquet", score=half, labels=twice_a_key())
    ingested = ingest_files(community, [file])
    assert not ingested.failures
    assert counts(community) == Counts(1, 1, 0, 0, 1)
    (landed,) = ingested.landed
    assert landed.notes == ("columns that community_interactions does not read: score, labels",)


def test_of_thousands_of_columns_that_are_not_read_ten_are_named(
    community: StreamStores, tmp_path: Path
) -> None:
    more = {f"x{number}": pa.array([number]) for number in range(1_510)}
    ingested = ingest_files(community, [written(tmp_path / "wide.parquet", **more)])
    assert counts(community) == Counts(1, 1, 0, 0, 1)
    (landed,) = ingested.landed
    assert landed.notes == (
        "columns that community_interactions does not read: x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 "
        "and 1,500 more",
    )


def test_a_column_that_cannot_be_read_fails_its_file_alone(
    community: StreamStores, tmp_path: Path
) -> None:
    columns = {name: pa.array([value]) for name, value in ROW.items()}
    pq.write_table(pa.table(columns | {"age": twice_a_key()}), tmp_path / "bad.parquet")
    good = written(tmp_path / "good.parquet")
    ingested = ingest_files(community, [tmp_path / "bad.parquet", good])
    (failure,) = ingested.failures
    assert "bad.parquet: it can't be read" in str(failure)
    assert counts(community) == Counts(1, 1, 0, 0, 1)


def test_a_name_that_is_not_utf_8_fails_its_file_alone(
    community: StreamStores, tmp_path: Path
) -> None:
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.parquet"))
    good = written(tmp_path / "good.parquet")
    bad.write_bytes(good.read_bytes())
    ingested = ingest_files(community, [bad, good])
    (failure,) = ingested.failures
    assert str(failure).endswith("caf\\xe9.parquet: its path is not UTF-8; rename it")
    assert counts(community) == Counts(1, 1, 0, 0, 1)


def test_what_is_no_readable_file_fails_alone(community: StreamStores, tmp_path: Path) -> None:
    good = written(tmp_path / "good.parquet")
    (tmp_path / "folder.parquet").mkdir()
    os.mkfifo(tmp_path / "pipe.parquet")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "nothing")
    names = {
        "folder.parquet": "it is a folder",
        "pipe.parquet": "no regular file",
        "link.parquet": "no regular file",
        "gone.parquet": "no such file",
    }
    ingested = ingest_files(community, [*(tmp_path / name for name in names), good])
    for failure, (name, reason) in zip(ingested.failures, names.items(), strict=True):
        assert f"{name}: {reason}" in str(failure)
    assert counts(community) == Counts(1, 1, 0, 0, 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_fails_alone(community: StreamStores, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.parquet")
    bad.chmod(0)
    ingested = ingest_files(community, [bad, written(tmp_path / "good.parquet", 2)])
    (failure,) = ingested.failures
    assert "Permission denied" in str(failure)


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8b\x08\xff rest", b"\x1f\x8bnothing at all"])
def test_a_file_that_cannot_be_decompressed_fails_alone(
    stream: StreamOf, tmp_path: Path, data: bytes
) -> None:
    video = stream("video_interactions")
    (tmp_path / "bad.csv.gz").write_bytes(data)
    (tmp_path / "good.csv.gz").write_bytes(gzip.compress(b"user_id,age,video_id\n1,30,2\n"))
    ingested = ingest_files(video, [tmp_path / "bad.csv.gz", tmp_path / "good.csv.gz"])
    assert [failure.path.name for failure in ingested.failures] == ["bad.csv.gz"]
    assert counts(video) == Counts(1, 1, 0, 0, 1)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.EMFILE, "Too many open files"),
        MemoryError("no memory"),
        duckdb.IOException("Could not write to the spill folder"),
        duckdb.OutOfMemoryException("max_temp_directory_size is reached"),
    ],
)
def test_an_error_of_the_machine_is_not_blamed_on_the_file(
    community: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def failing(*_: object) -> object:
        raise error
        yield

    monkeypatch.setattr(land, "read_records", failing)
    with pytest.raises(type(error), match=str(error.args[-1])):
        ingest_files(community, [written(tmp_path / "good.parquet")])


@pytest.mark.parametrize(
    "error", [RuntimeError("a reader's fault"), KeyError("x"), duckdb.InternalException("INTERNAL")]
)
def test_an_error_that_nobody_foresaw_fails_its_file_alone(
    community: StreamStores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    read = land.read_records

    def failing(contract: object, path: Path, *rest: object) -> object:
        if path.name == "bad.parquet":
            raise error
        yield from read(contract, path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(land, "read_records", failing)
    files = [written(tmp_path / f"{name}.parquet", n) for n, name in enumerate(("bad", "good"))]
    (failure,) = ingest_files(community, files).failures
    assert failure.path.name == "bad.parquet"
    assert counts(community) == Counts(1, 1, 0, 0, 1)
