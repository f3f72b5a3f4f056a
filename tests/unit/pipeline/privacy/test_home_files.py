"""Files with an id are found whatever they are; damaged ones do not end a pass."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.settings.home import Home
from social_assets.control.privacy.person import Person
from social_assets.pipeline.privacy import home_files
from social_assets.pipeline.privacy.home_files import has_id, overwrite_in_home, places_in_home
from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes
from social_assets.pipeline.privacy.person_ids import PersonIds
from social_assets.pipeline.privacy.sqlite_files import SqliteFileError

GONE = "gone-person-0001"
IDS = IdsInBytes([GONE])


def test_an_id_is_found_in_compressed_files(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson.gz").write_bytes(gzip.compress(f'{{"user": "{GONE}"}}'.encode()))
    rows = pa.table({"a": [[{"b": GONE}]], "c": pa.array([None], pa.int8())})
    pq.write_table(rows, tmp_path / "a.parquet", compression="zstd")
    (tmp_path / "other.gz").write_bytes(gzip.compress(f"{GONE}9".encode()))
    found = {path.name: has_id(path, IDS) for path in tmp_path.iterdir()}
    assert found == {"a.ndjson.gz": True, "a.parquet": True, "other.gz": False}


def test_an_id_that_two_chunks_share_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_files, "_CHUNK_BYTES", 3_000)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b" " * 2_990 + GONE.encode() + b" " * 5_000))
    assert has_id(path, IDS)


@pytest.mark.parametrize("name", ["a.parquet", "a.gz", "a.ndjson"])
@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"PAR1", gzip.compress(b"x" * 99)[:-9]],
    ids=["empty", "garbage", "start of Parquet", "cut gzip"],
)
def test_a_damaged_file_has_no_id_but_in_its_bytes(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert not has_id(tmp_path / name, IDS)
    (tmp_path / name).write_bytes(content + f" {GONE}".encode())
    assert has_id(tmp_path / name, IDS)


def test_a_damaged_sqlite_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"no database" * 99)
    with pytest.raises(SqliteFileError, match=r"runs\.db: .*repair or remove it"):
        has_id(tmp_path / "runs.db", IDS)


def test_histories_and_logs_are_overwritten_and_pictures_are_not(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for folder in ("logs", "media", "dagster"):
        (tmp_path / folder).mkdir()
    (tmp_path / "logs" / "a.log").write_text(f"before {GONE} after {GONE}9\n")
    (tmp_path / "media" / "a.png").write_text(f"exif {GONE}")
    database = sqlite3.connect(tmp_path / "dagster" / "runs.db")
    database.execute("CREATE TABLE t (a TEXT, b BLOB)")
    database.execute("INSERT INTO t VALUES (?, ?)", (f"é {GONE}", GONE.encode()))
    database.commit()
    persons = PersonIds(frozenset([Person(GONE)]))
    assert overwrite_in_home(home, persons) == 2
    assert (tmp_path / "logs" / "a.log").read_text() == f"before {'*' * 16} after {GONE}9\n"
    assert database.execute("SELECT a, b FROM t").fetchall() == [("é " + "*" * 16, b"*" * 16)]
    database.close()
    assert GONE.encode() not in (tmp_path / "dagster" / "runs.db").read_bytes()
    assert [each.place for each in places_in_home(home, persons)] == ["media/a.png"]
