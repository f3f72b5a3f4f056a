"""A file that is written to while it is read is not loaded in part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from social_assets.ingest.records import FileChangedError
from social_assets.pipeline.files import land
from social_assets.pipeline.files.file_batches import Replace
from social_assets.pipeline.files.landing_folder import Landing, date_in
from social_assets.pipeline.files.unload import unload_pending
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from tests.integration.pipeline.accounts import Counts, counts

StreamOf = Callable[[str], StreamStores]
HEADER = "user_id,age,video_id\n"


@pytest.fixture
def landing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Landing:
    monkeypatch.setenv("SOCIAL_ASSETS_LOAD_FOLDERS", str(tmp_path))
    found = Landing(tmp_path / "landing", "video_interactions")
    found.folder.mkdir(parents=True)
    return found


def test_a_file_that_grows_while_it_is_read_is_loaded_whole_by_the_next_load(
    stream: StreamOf, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = stream("video_interactions")
    path = landing.folder / "a_2026-11-20.csv"
    path.write_text(HEADER + "1,30,1\n")
    read = land.read_records

    def growing(*arguments: object) -> Iterator[object]:
        yield from read(*arguments)  # type: ignore[arg-type]
        with path.open("a") as file:
            file.write("1,30,2\n")

    with monkeypatch.context() as patched:
        patched.setattr(land, "read_records", growing)
        ingested = ingest_files(video, landing.waiting())
    (failure,) = ingested.failures
    assert isinstance(failure, FileChangedError)
    assert counts(video) == Counts(0, 0, 0, 0, 0)
    assert landing.put_aside(ingested) == []
    assert landing.waiting() == [path]
    landing.put_aside(ingest_files(video, landing.waiting()))
    assert counts(video) == Counts(2, 2, 0, 0, 2)
    assert landing.waiting() == []


def test_a_file_that_has_changed_since_it_landed_is_not_put_aside(
    stream: StreamOf, landing: Landing
) -> None:
    video = stream("video_interactions")
    path = landing.folder / "a.csv"
    path.write_text(HEADER + "1,30,1\n")
    ingested = ingest_files(video, landing.waiting())
    path.write_text(HEADER + "1,30,1\n1,30,2\n")
    (told,) = landing.put_aside(ingested)
    assert "it changed after it was read" in told
    assert landing.waiting() == [path]


@pytest.mark.parametrize("is_moved", [False, True])
def test_a_load_that_is_killed_as_it_moves_a_file_leaves_it_to_the_next(
    stream: StreamOf, landing: Landing, monkeypatch: pytest.MonkeyPatch, *, is_moved: bool
) -> None:
    video = stream("video_interactions")
    path = landing.folder / "a.csv"
    path.write_text(HEADER + "1,30,1\n")
    rename = Path.rename

    def killed(file: Path, to: Path) -> None:
        if is_moved:
            rename(file, to)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "rename", killed)
        landing.put_aside(ingest_files(video, landing.waiting()))
    assert landing.rewritten() == {}
    landing.put_aside(ingest_files(video, landing.waiting()))
    (moved,) = (landing.folder / "loaded").glob("*.csv")
    with moved.open("a") as file:
        file.write("1,30,2\n")
    assert list(landing.rewritten()) == [moved]


def test_a_file_that_vanishes_is_named_and_the_others_are_put_aside(
    stream: StreamOf, landing: Landing
) -> None:
    video = stream("video_interactions")
    for name in ("a.csv", "b.csv", "c.csv"):
        (landing.folder / name).write_text(HEADER + f"1,30,{ord(name[0])}\n")
    waiting = landing.waiting()
    (landing.folder / "a.csv").unlink()
    ingested = ingest_files(video, waiting)
    assert [failure.path.name for failure in ingested.failures] == ["a.csv"]
    (landing.folder / "b.csv").unlink()
    told = landing.put_aside(ingested)
    assert [part in " ".join(told) for part in ("a.csv", "b.csv", "c.csv")] == [True, True, False]
    assert [path.name for path in (landing.folder / "loaded").glob("*.csv")] == ["c.csv"]
    assert counts(video) == Counts(2, 2, 0, 0, 2)


def test_what_is_written_after_the_move_replaces_what_was_loaded(
    stream: StreamOf, landing: Landing
) -> None:
    """The writer pauses for longer than a rest, within a record, and then goes on."""
    video = stream("video_interactions")
    path = landing.folder / "a_2026-11-20.csv"
    with path.open("w") as file:
        file.write(HEADER + "1,30,1\n1,30,2\n1,3")
        file.flush()
        landing.put_aside(ingest_files(video, landing.waiting(), date_in))
        assert not landing.rewritten()
        file.write("0,3\n1,30,4\n")
    rewritten = landing.rewritten()
    assert [each.name for each in rewritten] == ["a_2026-11-20.csv"]
    ingested = ingest_files(video, list(rewritten), date_in, replace=Replace(of=rewritten))
    landing.put_aside(ingested)
    with video.lock():
        unload_pending(video)
    assert counts(video) == Counts(4, 4, 0, 0, 4)
    assert not landing.rewritten()
    assert [p.name for p in (landing.folder / "loaded").glob("*.csv")] == ["a_2026-11-20.csv"]
