"""A rebuild swaps whole days, empties days without a source, and holds the stream's lock."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from deltalake import DeltaTable

from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import held, ingest_files, land_files, rebuild
from tests.integration.pipeline.accounts import Counts, counts

FIRST, SECOND = date(2026, 1, 1), date(2026, 1, 2)


def event(number: int, day: date = FIRST, value: int = 1) -> str:
    named = {"event_id": f"e{number}", "event_time": f"{day}T12:00:00Z", "account_id": 1}
    return json.dumps(named | {"metric_type": "like", "value": value}) + "\n"


@pytest.fixture
def events(stream: Callable[[str], StreamStores], tmp_path: Path) -> StreamStores:
    """One record of each of two days, loaded."""
    found = stream("engagement_events")
    path = tmp_path / "loaded.ndjson"
    path.write_text(event(1) + event(2, SECOND))
    ingest_files(found, [path])
    return found


@pytest.fixture
def landed(events: StreamStores, tmp_path: Path) -> StreamStores:
    """Two more records of the first day, only in raw."""
    path = tmp_path / "late.ndjson"
    path.write_text(event(3) + event(4))
    land_files(events, [path])
    return events


class Watched:
    """A ClickHouse that runs a reader after each statement of another client."""

    def __init__(self, stores: StreamStores) -> None:
        self._stores = stores
        self.seen: list[int] = []

    @contextmanager
    def client(self, log_comment: str | None = None) -> Iterator[Any]:
        with self._stores.stores.clickhouse.client(log_comment) as client:
            yield Statements(client, self._look)

    def _look(self) -> None:
        self.seen.append(self._stores.loader.rows_by_day().get(FIRST, 0))


class Statements:
    """A client that reports each statement after it has run."""

    def __init__(self, client: Any, then: Callable[[], None]) -> None:
        self._client, self._then = client, then

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            answer = getattr(self._client, name)(*arguments, **named)
            self._then()
            return answer

        return call


def test_readers_see_a_day_as_it_was_or_as_it_is_and_nothing_between(landed: StreamStores) -> None:
    watched = Watched(landed)
    rebuild(replace(landed, stores=replace(landed.stores, clickhouse=watched)), [FIRST, SECOND])
    assert watched.seen == sorted(watched.seen)
    assert set(watched.seen) == {1, 3}


def test_a_day_whose_raw_became_empty_is_emptied_in_lake_and_warehouse(
    events: StreamStores,
) -> None:
    DeltaTable(events.raw.uri).delete(f"event_date = '{FIRST}'")
    rebuild(events, [FIRST, SECOND])
    assert events.cleaned.rows_by_day() == events.loader.rows_by_day() == {SECOND: 1}


def test_a_rebuild_waits_for_whoever_works_on_the_stream(landed: StreamStores) -> None:
    before = landed.cleaned.rows_by_day()
    rebuilding = Thread(target=rebuild, args=(landed, [FIRST]))
    with landed.lock():
        rebuilding.start()
        await_a_waiter(landed, rebuilding)
        assert landed.cleaned.rows_by_day() == before
    rebuilding.join()
    assert counts(landed) == Counts(4, 4, 0, 0, 4)


def test_a_held_stream_is_recovered_and_no_other_run_can_take_it(landed: StreamStores) -> None:
    loading = Thread(target=ingest_files, args=(landed, []))
    with held([landed]):
        assert counts(landed) == Counts(4, 4, 0, 0, 4)
        loading.start()
        await_a_waiter(landed, loading)
    loading.join()


def await_a_waiter(stores: StreamStores, thread: Thread) -> None:
    deadline = time.monotonic() + 30
    while not stores.is_wanted():
        assert thread.is_alive(), "it did not wait"
        assert time.monotonic() < deadline
        time.sleep(0.01)
