"""Identity and format of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from social_assets.contracts.registry import contract
from social_assets.ingest.files.open_file import content_hash, file_format
from social_assets.ingest.records import FileError

VIDEO = contract("video_interactions")


def test_a_file_is_what_is_in_it_not_what_it_is_called(tmp_path: Path) -> None:
    one, other, same = (tmp_path / name for name in ("one", "other", "same"))
    one.write_bytes(b"a")
    other.write_bytes(b"b")
    same.write_bytes(b"a")
    assert content_hash(one) == content_hash(same) != content_hash(other)


@pytest.mark.parametrize(("name", "why"), [("absent", "no such file"), (".", "it is a folder")])
def test_what_is_no_file_has_no_identity(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(FileError, match=why):
        content_hash(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "found"),
    [("a.csv", "csv"), ("A.CSV.GZ", "csv"), ("a.2026.jsonl", "ndjson"), ("a.pq", "parquet")],
)
def test_the_name_says_the_format(name: str, found: str) -> None:
    assert file_format(VIDEO, Path(name)) == found


@pytest.mark.parametrize("name", ["a.xlsx", "a", "a.gz"])
def test_a_format_that_the_contract_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(FileError, match="which takes csv, ndjson, parquet"):
        file_format(VIDEO, Path(name))
