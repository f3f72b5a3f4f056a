"""Collected pages land in many streams at once: nothing lost, nothing doubled, then promoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from resources.settings.home import Home
from social_assets.pipeline.pages import land_pages
from social_assets.pipeline.pages.land_pages import PagePipeline
from social_assets.pipeline.pages.spool import PAGE_RECORDS, PageSpool
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.integration.pipeline.test_loading_files import event

StreamOf = Callable[[str], StreamStores]
FETCHED = datetime(2026, 1, 3, 12, tzinfo=UTC)
STREAMS = ("engagement_events", "posts")


class Stopped(BaseException):
    """Ends a collection as SIGTERM does: no step may catch it."""


@dataclass
class Positions:
    """What was promoted, in order."""

    seen: list[Mapping[str, object]] = field(default_factory=list)

    def __call__(self, promotion: Mapping[str, object]) -> None:
        self.seen.append(promotion)


def records(*of: tuple[str, bytes]) -> pa.Table:
    rows = [{"stream": s, "value": v.strip(), "fetched_at": FETCHED} for s, v in of]
    return pa.Table.from_pylist(rows, schema=PAGE_RECORDS)


PAGES = records(
    ("engagement_events", event(1)),
    ("posts", b'{"post_id": "p1"}'),
    ("engagement_events", event(1)),
    ("engagement_events", event(2, value="x")),
)


def pipeline(stream: StreamOf, folder: Path, promote: Positions) -> PagePipeline:
    streams = {name: stream(name) for name in STREAMS}
    return PagePipeline(PageSpool.of(Home(folder), "Instagram"), "Instagram", streams, promote)


def test_pages_pass_all_steps_and_their_positions_are_promoted(
    stream: StreamOf, tmp_path: Path
) -> None:
    promoted = Positions()
    pages = pipeline(stream, tmp_path, promoted)
    pages.take(PAGES, {"media": "cursor"})
    events = pages.streams["engagement_events"]
    assert counts(events) == Counts(3, 1, 1, 1, 1)
    assert sum(pages.streams["posts"].raw.rows_by_day().values()) == 1
    assert promoted.seen == [{"media": "cursor"}]
    assert pages.spool.waiting() == []
    assert events.raw.applied_version("collect/instagram") is not None


@pytest.mark.parametrize(
    "crash",
    ["land", "land done", "clean", "clean done", "load", "load done", "_enter", "_enter done"],
)
def test_a_collection_that_ends_between_two_steps_is_completed_by_the_next(
    stream: StreamOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    step, _, done = crash.partition(" ")
    # One stream has its records already, the other one nothing or a part.
    stream_of_crash = "posts" if step == "land" else "engagement_events"
    promoted = Positions()
    pages = pipeline(stream, tmp_path, promoted)
    work = getattr(land_pages, step)

    def stopping(stores: StreamStores, *arguments: object) -> None:
        if done or stores.name != stream_of_crash:
            work(stores, *arguments)
        if stores.name == stream_of_crash:
            raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(land_pages, step, stopping)
        with pytest.raises(Stopped):
            pages.take(PAGES, {"media": "cursor"})
    assert promoted.seen == []
    pages.recover_pages()
    events = pages.streams["engagement_events"]
    assert counts(events) == Counts(3, 1, 1, 1, 1)
    assert sum(pages.streams["posts"].raw.rows_by_day().values()) == 1
    assert promoted.seen == [{"media": "cursor"}]
    before = contents(events)
    pages.recover_pages()
    assert contents(events) == before


def test_a_batch_whose_promotion_was_not_recorded_lands_once(
    stream: StreamOf, tmp_path: Path
) -> None:
    def fail(_: Mapping[str, object]) -> None:
        raise Stopped

    pages = pipeline(stream, tmp_path, Positions())
    broken = PagePipeline(pages.spool, "Instagram", pages.streams, fail)
    with pytest.raises(Stopped):
        broken.take(PAGES, {"media": "cursor"})
    promoted = Positions()
    pipeline(stream, tmp_path, promoted).recover_pages()
    assert counts(pages.streams["engagement_events"]) == Counts(3, 1, 1, 1, 1)
    assert promoted.seen == [{"media": "cursor"}]


def test_pages_and_files_of_one_stream_share_its_keys(stream: StreamOf, tmp_path: Path) -> None:
    pages = pipeline(stream, tmp_path, Positions())
    file = tmp_path / "events.ndjson"
    file.write_bytes(event(1) + event(7))
    pages.take(PAGES, {})
    events = pages.streams["engagement_events"]
    ingest_files(events, [file])
    pages.take(records(("engagement_events", event(7))), {})
    assert counts(events) == Counts(6, 2, 3, 1, 2)
    before = contents(events)
    rebuild(events, sorted(events.raw.rows_by_day()))
    assert contents(events) == before


def test_a_spool_file_that_a_crash_left_unfinished_is_removed(tmp_path: Path) -> None:
    spool = PageSpool.of(Home(tmp_path), "X")
    spool.folder.mkdir(parents=True)
    unfinished = spool.folder / "1.unfinished"
    unfinished.write_bytes(b"half")
    assert spool.waiting() == []
    assert not unfinished.exists()
