"""A kept query is read whole or not at all, and no fault of the folder is an error."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from social_assets.transform.queries import kept_queries
from social_assets.transform.queries.kept_queries import keep_query, kept_query

QUERY = 'SELECT \'ü\n"x"\' AS "t"'


def test_a_query_is_kept_for_its_key_alone(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "queries"
    assert kept_query(folder, "a") is None
    keep_query(folder, "a", QUERY)
    assert kept_query(folder, "a") == QUERY
    assert kept_query(folder, "b") is None
    assert [each.name for each in folder.iterdir()] == ["a.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(file.read_bytes()[:-9]),
        lambda file: file.write_bytes(file.read_bytes().replace(b"SELECT", b"DELETE")),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"\xff\x00"),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text('{"query": 1, "checksum": 2}'),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: file.rename(file.with_name("b.json")),
    ],
)
def test_a_damaged_file_is_no_query(damage: Callable[[Path], object], tmp_path: Path) -> None:
    keep_query(tmp_path, "a", QUERY)
    damage(tmp_path / "a.json")
    assert kept_query(tmp_path, "a") is None
    assert kept_query(tmp_path, "b") is None


def test_a_folder_that_cannot_be_made_or_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    keep_query(tmp_path / "file", "a", QUERY)
    assert kept_query(tmp_path / "file", "a") is None
    keep_query(Path("/dev/full"), "a", QUERY)

    def full(name: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    keep_query(tmp_path / "queries", "a", QUERY)
    assert list((tmp_path / "queries").iterdir()) == []


def test_those_not_used_for_longest_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_queries, "KEPT_QUERIES", 3)
    for age, key in enumerate("cba"):
        keep_query(tmp_path, key, QUERY)
        os.utime(tmp_path / f"{key}.json", (age, age))
    assert kept_query(tmp_path, "c") == QUERY
    keep_query(tmp_path, "d", QUERY)
    assert {each.stem for each in tmp_path.iterdir()} == {"a", "c", "d"}


def test_several_may_keep_one_query_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep_query(tmp_path, "a", QUERY), range(64)))
    assert kept_query(tmp_path, "a") == QUERY
    assert len(list(tmp_path.iterdir())) == 1
