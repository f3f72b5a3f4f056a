"""Files that are still written are told by their names and by their rest."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Timer

import pytest

from social_assets.pipeline.files.unfinished_files import REST, at_rest, is_at_rest, is_unfinished


@pytest.mark.parametrize(
    "name",
    [
        *(".x.csv", ".x.csv.Ab12Cd", "~$x.csv", ".~lock.x.csv#", "x.csv~", "#x.csv#", "._x.csv"),
        *("x.csv.part", "x.PART", "x.csv.tmp", "x.tmp.csv", "x_tmp.csv", "x.csv_tmp", "x.csv.swp"),
        *("x.csv.crdownload", "x.csv.filepart", "x.csv.partial", "x.part.gz", "x._COPYING_"),
        *("_temporary", "_SUCCESS", "_tmp.x.csv", "_started_123", "x.csv.temp", "x.csv.lock"),
    ],
)
def test_a_name_that_programs_give_to_unfinished_files_is_left_alone(name: str) -> None:
    assert is_unfinished(name)


@pytest.mark.parametrize(
    "name",
    [
        *("x.csv", "part-0000.csv", "x_2026-11-20.csv", "_events.csv", "_temperatures.csv"),
        *("room_temp.csv", "#hashtags.csv", "_success_stories.csv", "tmpfiles.csv", "partial.csv"),
        *("downloads.csv", "swp.csv", "x.lock.csv"),
    ],
)
def test_the_name_of_a_finished_file_is_not_taken_for_an_unfinished_one(name: str) -> None:
    assert not is_unfinished(name)


def test_a_file_is_at_rest_once_its_times_are_old(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a")
    assert not is_at_rest(path, 60)
    # Copied with the time of the original, which is old or to come: it was written just now.
    for copied in (time.time() - 3600, time.time() + 3600):
        os.utime(path, (copied, copied))
        assert not is_at_rest(path, 60)
    assert is_at_rest(path, 0)


def test_a_load_waits_for_a_rest_and_leaves_what_grows_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(REST, "0.3")
    still, growing = tmp_path / "still.csv", tmp_path / "growing.csv"
    still.write_text("a")
    growing.write_text("a")
    writer = Timer(0.1, lambda: growing.write_text("ab"))
    writer.start()
    assert at_rest([still, growing]) == [still]
    writer.join()


def test_a_rest_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REST, "5s")
    with pytest.raises(ValueError, match=f"{REST} is '5s': write a number of seconds"):
        at_rest([])
