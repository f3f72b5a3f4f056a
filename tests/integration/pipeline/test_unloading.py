"""After an unload, all tables are as if the file was never loaded; it can be loaded again."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from social_assets.ingest.files.open_file import content_hash
from social_assets.lake.expired_days import ExpiredDaysError
from social_assets.lake.ledger import BATCH_PREFIX
from social_assets.pipeline.files.file_batches import Replace
from social_assets.pipeline.files.unload import unload_pending
from social_assets.pipeline.files.unload_requests import (
    NotUnloadableError,
    batch_of,
    pending,
    request_unload,
)
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from tests.integration.pipeline.accounts import contents, counts

pytestmark = pytest.mark.endurance

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)


def event(number: int, day: date = FIRST, value: int = 1) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": "like", "value": value}) + "\n"


@pytest.fixture
def events(stream: Callable[[str], StreamStores]) -> StreamStores:
    return stream("engagement_events")


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A record of its own day, a record that another file repeats, and a rejected record."""
    path = tmp_path / "wrong.ndjson"
    path.write_text(event(1) + event(2, SECOND) + event(3, THIRD) + event(4, FIRST, -1))
    return path


@pytest.fixture
def right(tmp_path: Path) -> Path:
    path = tmp_path / "right.ndjson"
    path.write_text(event(1, value=7) + event(2, SECOND, 8) + event(5))
    return path


def unload(stores: StreamStores, *batches: str) -> None:
    with stores.lock():
        request_unload(stores, batches)
        complete(stores)


def complete(stores: StreamStores) -> None:
    """Complete the unload like the job, without facts and rollups."""
    stores.unloads.done(unload_pending(stores))


def test_an_unloaded_batch_leaves_the_tables_of_a_home_that_never_had_its_file(
    events: StreamStores, wrong: Path, right: Path, tmp_path: Path
) -> None:
    ingest_files(events, [wrong])
    ingest_files(events, [right])
    assert counts(events).duplicates == 2
    unload(events, content_hash(wrong))
    found = contents(events)
    assert counts(events).duplicates == counts(events).rejected == 0
    assert events.raw.rows_by_day() == {FIRST: 2, SECOND: 1}
    assert content_hash(wrong) not in events.ledger.days("raw")
    assert content_hash(wrong) not in events.ledger.days("cleaned")

    with events.stores.clickhouse.client() as client:
        client.command("DROP DATABASE cleaned SYNC")
    other = StreamStores(
        events.stores.__class__(
            events.stores.lake.__class__(str(tmp_path / "other"), tmp_path / "locks"),
            events.engine,
            events.stores.clickhouse,
        ),
        events.contract,
    )
    ingest_files(other, [right])
    assert contents(other) == found


def test_an_unloaded_file_can_be_loaded_and_unloaded_again(
    events: StreamStores, wrong: Path, right: Path
) -> None:
    ingest_files(events, [wrong, right])
    for generation in (1, 2):
        unload(events, batch_of(events, content_hash(wrong)).batch_id)
        (landed,) = ingest_files(events, [wrong]).landed
        assert (landed.batch_id, landed.already) == (f"{content_hash(wrong)}.{generation}", False)
        assert ingest_files(events, [wrong]).landed[0].already
        # Now the other file is the first one.
        assert counts(events).cleaned == 4
        assert counts(events).duplicates == 2
        assert counts(events).rejected == 1
    rebuild(events, [FIRST, SECOND, THIRD])
    assert counts(events).cleaned == 4


def test_an_unload_that_was_requested_is_completed_by_whoever_comes_next(
    events: StreamStores, wrong: Path, right: Path, tmp_path: Path
) -> None:
    ingest_files(events, [wrong])
    with events.lock():
        request_unload(events, [content_hash(wrong)])
    ingest_files(events, [right])
    with events.lock():
        complete(events)
        assert pending(events) == []
        assert request_unload(events, [content_hash(wrong)]) == []
        assert unload_pending(events) == []
    assert counts(events).cleaned == counts(events).raw == 3


def test_a_batch_that_has_landed_and_is_not_loaded_when_another_is_unloaded_enters_once(
    events: StreamStores, wrong: Path, right: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_files(events, [wrong])
    with monkeypatch.context() as broken:
        broken.setattr("social_assets.pipeline.files.file_batches.load_validated", fail)
        with pytest.raises(ConnectionError):
            ingest_files(events, [right])
    unload(events, content_hash(wrong))
    assert counts(events).warehouse == 3


def fail(*_: object) -> int:
    raise ConnectionError


def test_a_replacing_load_takes_out_what_the_same_file_or_name_had_brought(
    events: StreamStores, wrong: Path, right: Path, tmp_path: Path
) -> None:
    ingest_files(events, [wrong, right])
    mended = tmp_path / "mended" / wrong.name
    mended.parent.mkdir()
    mended.write_text(event(1, value=9))
    ingest_files(events, [mended], replace=Replace())
    with events.lock():
        complete(events)
    assert counts(events).raw == 4
    assert events.raw.rows_by_day() == {FIRST: 3, SECOND: 1}
    ingest_files(events, [mended, mended], replace=Replace())
    with events.lock():
        complete(events)
    assert counts(events).raw == 4


def test_a_file_that_cannot_be_read_replaces_nothing(
    events: StreamStores, wrong: Path, tmp_path: Path
) -> None:
    ingest_files(events, [wrong])
    before = contents(events)
    for name, content in (("wrong.ndjson.gz", b"\x1f\x8b broken"), ("wrong.ndjson", b"")):
        bad = tmp_path / "bad" / name
        bad.parent.mkdir(exist_ok=True)
        bad.write_bytes(content)
        assert ingest_files(events, [bad], replace=Replace()).failures
        with events.lock():
            assert pending(events) == []
    assert contents(events) == before


def test_batches_that_cannot_be_unloaded_are_refused_with_the_reason(
    events: StreamStores, wrong: Path
) -> None:
    ingest_files(events, [wrong])
    with events.lock():
        with pytest.raises(NotUnloadableError, match="micro-batch"):
            request_unload(events, [f"{BATCH_PREFIX}1"])
        with pytest.raises(NotUnloadableError, match="has no batch abc"):
            request_unload(events, ["abc"])
        events.stores.lake.expired_days().record("raw/engagement_events", {SECOND: 1})
        with pytest.raises(ExpiredDaysError, match="2026-01-02"):
            request_unload(events, [content_hash(wrong)])
        assert pending(events) == []
