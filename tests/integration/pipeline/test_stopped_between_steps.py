"""A load that ends between two writes is completed by the next one, to the row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from social_assets.lake.delta import LakeTable
from social_assets.pipeline.files import file_batches
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files
from social_assets.warehouse.loader import Loader, rows_for_warehouse
from social_assets.warehouse.micro_batch_loader import micro_batch_loader
from tests.integration.pipeline.accounts import Counts, contents, counts
from tests.integration.pipeline.test_loading_files import event

StreamOf = Callable[[str], StreamStores]


class Stopped(BaseException):
    """Ends a load as SIGTERM does: no step may catch it."""


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """The second file has a duplicate of the first one's key, one of its own, and a bad record."""
    first, second = tmp_path / "first.ndjson", tmp_path / "second.ndjson"
    first.write_bytes(event(1) + event(2, "2026-01-02"))
    second.write_bytes(
        event(1) + event(3) + event(3) + event(4, "2026-01-02") + event(5, value="x")
    )
    return [first, second]


@dataclass(frozen=True)
class Moment:
    """A function of the load that is stopped after its work, or instead of it."""

    owner: object
    step: str
    is_done: bool = True


@pytest.mark.parametrize(
    "moment",
    [
        Moment(file_batches, "land_file"),
        Moment(file_batches, "append_batch"),
        Moment(file_batches, "enter_landed"),
        Moment(file_batches, "enter_cleaned"),
        Moment(file_batches, "load_validated", is_done=False),
        Moment(Loader, "mark_loaded", is_done=False),
    ],
    ids=lambda moment: f"{moment.step} {'done' if moment.is_done else 'not done'}",
)
def test_a_load_that_ends_between_two_steps_is_completed_by_the_next(
    stream: StreamOf, files: list[Path], monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    events = stream("engagement_events")
    first, second = files
    ingest_files(events, [first])
    work = getattr(moment.owner, moment.step)

    def stopping(*arguments: object, **named: object) -> None:
        if moment.is_done:
            work(*arguments, **named)
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(moment.owner, moment.step, stopping)
        with pytest.raises(Stopped):
            ingest_files(events, [second])
    ingest_files(events, [])
    assert counts(events) == Counts(7, 4, 2, 1, 4)
    before = contents(events)
    assert [file.already for file in ingest_files(events, files).landed] == [True, True]
    assert contents(events) == before


def test_a_load_that_ends_between_quarantine_and_cleaned_is_completed_by_the_next(
    stream: StreamOf, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = stream("engagement_events")
    first, second = files
    ingest_files(events, [first])
    append = LakeTable.append

    def stopping(table: LakeTable, *arguments: object) -> None:
        if table.uri == events.cleaned.uri:
            raise Stopped
        append(table, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(LakeTable, "append", stopping)
        with pytest.raises(Stopped):
            ingest_files(events, [second])
    ingest_files(events, [])
    assert counts(events) == Counts(7, 4, 2, 1, 4)


@pytest.mark.parametrize("rows_a_batch", [1, 2, 4])
def test_rows_in_other_arrow_batches_are_inserted_again_without_effect(
    stream: StreamOf, files: list[Path], rows_a_batch: int
) -> None:
    events = stream("engagement_events")
    ingest_files(events, files)
    columns = rows_for_warehouse(events.contract)
    rows = events.cleaned.read().select(columns).sort_by("event_date").combine_chunks()
    in_batches = pa.Table.from_batches(rows.to_batches(max_chunksize=rows_a_batch))
    instant = datetime(2026, 1, 3, tzinfo=UTC)
    with micro_batch_loader(events.loader) as loader:
        for table in (rows, in_batches):
            events.loader.insert("again", table.to_reader())
            loader.insert(instant, table)
    assert sum(events.loader.rows_by_day().values()) == 3 * rows.num_rows
