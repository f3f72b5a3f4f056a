"""A file that failed is recorded until a file of its name is loaded, or it is acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from social_assets.pipeline.files.failed_files import unresolved_failures
from social_assets.pipeline.files.landing_folder import Landing
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files

StreamOf = Callable[[str], StreamStores]
GOOD = "user_id,age,video_id\n1,30,{video}\n"


def test_only_the_files_own_success_or_an_acknowledgement_ends_its_failure(
    stream: StreamOf, tmp_path: Path
) -> None:
    video = stream("video_interactions")
    landing = Landing(tmp_path / "landing", "video_interactions")
    one, two, other = (tmp_path / f"{name}.csv" for name in ("one", "two", "other"))
    for path in (one, two):
        path.write_text("a,b\n1,2\n")
    other.write_text(GOOD.format(video=1))

    def unresolved() -> list[str]:
        return [each.name for each in unresolved_failures(video, landing)]

    ingest_files(video, [one, two, other])
    assert unresolved() == ["one.csv", "two.csv"]
    assert "lacks user_id" in unresolved_failures(video, landing)[0].reason
    ingest_files(video, [other])
    assert unresolved() == ["one.csv", "two.csv"]
    one.write_text(GOOD.format(video=2))
    ingest_files(video, [one])
    assert unresolved() == ["two.csv"]
    video.failed_files.acknowledge(unresolved_failures(video, landing))
    assert unresolved() == []
    # It fails again: that is another failure.
    ingest_files(video, [two])
    assert unresolved() == ["two.csv"]


def test_a_file_in_failed_that_no_load_recorded_counts_until_it_is_acknowledged(
    stream: StreamOf, tmp_path: Path
) -> None:
    video = stream("video_interactions")
    landing = Landing(tmp_path / "landing", "video_interactions")
    (landing.folder / "failed").mkdir(parents=True)
    (landing.folder / "failed" / "old.csv").write_text("x")
    (found,) = unresolved_failures(video, landing)
    assert found.name == "old.csv"
    video.failed_files.acknowledge([found])
    assert unresolved_failures(video, landing) == []
