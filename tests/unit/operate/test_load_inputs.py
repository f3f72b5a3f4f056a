"""Files, folders, globs and standard input become a list of files before a run starts."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from resources.settings.home import Home
from social_assets.contracts.registry import contract
from social_assets.operate.load.inputs import InputError, resolve, spool

EVENTS = contract("engagement_events")  # ndjson, parquet
VIDEOS = contract("video_interactions")
HEADER = ",".join(VIDEOS.required).encode() + b"\n"


def made(folder: Path, *names: str) -> list[Path]:
    """Files with these names."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


def test_a_folder_gives_the_files_of_the_streams_formats_sorted(tmp_path: Path) -> None:
    wanted = made(tmp_path, "a/z.ndjson", "b.ndjson", "c.parquet", "d.jsonl.gz", "ümlaut #1.json")
    made(tmp_path, "x.csv", "readme", ".hidden.ndjson", ".git/a.ndjson", "b.ndjson.part")
    assert resolve(EVENTS, [str(tmp_path)]) == sorted(wanted)


def test_a_quoted_glob_reaches_below(tmp_path: Path) -> None:
    wanted = made(tmp_path, "2026/01/a.ndjson", "2026/02/b.ndjson")
    assert resolve(EVENTS, [f"{tmp_path}/**/*.ndjson"]) == wanted
    assert resolve(EVENTS, [f"{tmp_path}/20*"]) == wanted


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    (file,) = made(tmp_path, "a[1]*.ndjson")
    assert resolve(EVENTS, [str(file)]) == [file]


def test_a_file_named_twice_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (file,) = made(tmp_path, "a.ndjson")
    monkeypatch.chdir(tmp_path)
    assert resolve(EVENTS, ["a.ndjson", "./a.ndjson", str(file), "*.ndjson", "."]) == [file]


def test_everything_that_names_nothing_is_told_at_once(tmp_path: Path) -> None:
    made(tmp_path, "empty/x.csv")
    wrong = [f"{tmp_path}/absent.ndjson", f"{tmp_path}/*.nd", f"{tmp_path}/empty"]
    with pytest.raises(InputError) as refused:
        resolve(EVENTS, wrong)
    for argument in wrong:
        assert argument in str(refused.value)


def test_a_dash_is_standard_input_and_a_file_of_that_name_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path, "-")
    assert resolve(EVENTS, ["-", "./-"]) == [Path("-"), tmp_path / "-"]


@pytest.mark.parametrize(
    ("stream", "data", "ending"),
    [
        (EVENTS, b'\n {"a": 1}\n', ".ndjson"),
        (EVENTS, b"PAR1....", ".parquet"),
        (EVENTS, gzip.compress(b'{"a": 1}\n', mtime=0), ".ndjson.gz"),
        (VIDEOS, b"\xef\xbb\xbf" + HEADER + b"1,2\n", ".csv"),
        (VIDEOS, HEADER.upper().replace(b"\n", b"\r\n"), ".csv"),
    ],
)
def test_the_format_of_standard_input_is_told_from_how_it_begins(
    stream: object, data: bytes, ending: str, tmp_path: Path
) -> None:
    file = spool(Home(tmp_path), stream, io.BytesIO(data), None)
    assert file.name.endswith(ending)
    assert file.read_bytes() == data
    assert [file] == list(file.parent.iterdir())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"some text\n", "--input-format"),
        (b"\x1f\x8bno gzip", "broken gzip"),
        (HEADER, "--input-format"),
    ],
)
def test_standard_input_that_can_not_be_loaded_leaves_nothing(
    data: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        spool(Home(tmp_path), EVENTS, io.BytesIO(data), None)
    assert list(tmp_path.iterdir()) == []
