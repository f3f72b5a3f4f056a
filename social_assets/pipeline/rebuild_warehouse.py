"""Makes all days of the warehouse anew from the lake, day by day, and goes on after a kill.

Belongs here: the order of the steps. `warehouse.pending_days` is the record of what is left: all
days are recorded before the first one is made, and each is recorded as finished once it is made.
Tables and views must exist. A day is swapped whole in each table, so that a reader never sees a
part of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta

from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.finish_days import BuildDays
from social_assets.pipeline.load import load_days
from social_assets.pipeline.quarantined_batches import quarantined
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import SWAP_ROWS, held
from social_assets.pipeline.topics.micro_batch import cleaned_until
from social_assets.warehouse.micro_batch_loader import micro_batch_loader
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    BEHIND,
    CLEANED,
    REBUILD,
    PendingDay,
    pending_days,
    record_finished,
    record_rebuild,
)
from social_assets.warehouse.present_tables import has_rollups

BUILD_ROWS = 2_000_000
"""One run of dbt builds days with up to this many cleaned rows, or one day."""


class LaterWarehouseError(RuntimeError):
    """The warehouse has batches that the lake lacks: the lake is older, from a backup."""

    def __init__(self, streams: Iterable[str]) -> None:
        super().__init__(
            f"the warehouse has loaded batches of {', '.join(sorted(streams))} that the lake does "
            "not have: the lake was restored from a backup, and the warehouse is later. It would "
            "leave these batches out when they come again. Drop its databases (DROP DATABASE "
            "cleaned; star; rollups), and give the same command again"
        )


Rows = dict[str, dict[date, int]]
"""The cleaned rows of the lake, by stream and day."""


@dataclass(frozen=True)
class RebuildProgress:
    """What was made just now, and how much is left. Every row counts twice: loaded and built."""

    made: str
    first: date
    last: date
    rows_done: int
    rows: int
    seconds: float

    @property
    def seconds_left(self) -> float:
        """An estimate, by the rows that this call has taken so far."""
        return self.seconds * (self.rows - self.rows_done) / max(1, self.rows_done)


@dataclass(frozen=True)
class RebuiltWarehouse:
    """What a call has made: cleaned rows loaded, days built behind them; `resumed`: it went on
    with a rebuild that was interrupted.
    """

    rows: int
    days: int
    resumed: bool
    seconds: float


Tell = Callable[[RebuildProgress], None]


def rebuild_all_days(
    streams: Sequence[StreamStores], build_days: BuildDays, tell: Tell
) -> RebuiltWarehouse:
    """Make every day of all streams anew: `cleaned` from the lake, what is behind it by dbt.

    `streams` are all streams of the installation. Their locks are held: loads and drains wait.
    Killed, the same call goes on with the days that are left. Raises LaterWarehouseError.
    """
    started = time.monotonic()
    resumed = _begin(streams)
    with held(streams):
        left = _left(streams)
        rows = {each.name: each.cleaned.rows_by_day() for each in streams}
        clock = _Clock(_work(left, rows), started, tell)
        loaded = sum(_load(each, left, rows[each.name], clock) for each in streams)
        days = sorted({d.event_date for d in left if d.layer in BEHIND} - {ALL_DAYS})
        for part in _ranges(days, rows):
            build_days(part[0], part[-1])
            _finish(streams, [d for d in left if d.layer in BEHIND and d.event_date in part])
            behind = sum(by_day.get(day, 0) for by_day in rows.values() for day in part)
            clock.made("facts and rollups", part, behind)
    return RebuiltWarehouse(loaded, len(days), resumed, time.monotonic() - started)


@dataclass
class _Clock:
    rows: int
    started: float
    tell: Tell
    rows_done: int = 0

    def made(self, what: str, days: Sequence[date], rows: int) -> None:
        self.rows_done += rows
        elapsed = time.monotonic() - self.started
        done = RebuildProgress(what, days[0], days[-1], self.rows_done, self.rows, elapsed)
        self.tell(done)


def _begin(streams: Sequence[StreamStores]) -> bool:
    """Record all days as those of a rebuild, unless one is under way; returns whether it is.

    Then record the batches whose rows these days have as loaded, so that no load inserts them too.
    """
    with ExitStack() as locks:
        for each in sorted(streams, key=lambda each: each.name):
            locks.enter_context(each.lock())
        if later := [each.name for each in streams if _is_later(each)]:
            raise LaterWarehouseError(later)
        found = _left(streams)
        of_rebuild = [day for day in found if day.run_id == REBUILD]
        # A table that was lost since then lacks days that are recorded as finished.
        resumed = bool(of_rebuild) and all(day.event_date != ALL_DAYS for day in found)
        if not resumed:
            days = _days_to_make(streams)
            with streams[0].stores.clickhouse.client(streams[0].log_comment) as client:
                record_rebuild(client, days)
            # These days are now recorded one by one.
            _finish(streams, [day for day in found if day.event_date == ALL_DAYS])
            of_rebuild = [d for d in _left(streams) if d.run_id == REBUILD]
        for each in streams:
            left = {d.event_date for d in of_rebuild if (d.stream, d.layer) == (each.name, CLEANED)}
            # If a day is finished, this was done before; what came later is not in that day.
            if left and left >= _days_of_lake(each):
                _record_loaded(each)
    return resumed


def _is_later(stores: StreamStores) -> bool:
    """Whether the warehouse records a batch that never was in the lake."""
    stores.loader.prepare()
    with micro_batch_loader(stores.loader) as loader:
        if loader.loaded_until() > cleaned_until(stores):
            return True
    known = {entry.batch_id for entry in stores.ledger.entries("raw")}
    return not stores.loader.loaded() <= known


def _record_loaded(stores: StreamStores) -> None:
    """Record that the warehouse has the batches that the lake has cleaned; their days must be
    pending.
    """
    landed, cleaned = stores.ledger.days("raw"), stores.ledger.days("cleaned")
    left_out = quarantined(stores)
    taken = [b for b, days in cleaned.items() if landed.get(b) == days and b not in left_out]
    stores.loader.prepare()
    stores.loader.mark_loaded(dict.fromkeys(taken, 0))
    with micro_batch_loader(stores.loader) as loader:
        until = cleaned_until(stores)
        if until > loader.loaded_until():
            loader.mark_loaded(until)


def _load(
    stores: StreamStores, left: Sequence[PendingDay], rows: dict[date, int], clock: _Clock
) -> int:
    own = [d for d in left if (d.stream, d.layer) == (stores.name, CLEANED)]
    days = sorted({day.event_date for day in own} - {ALL_DAYS})
    loaded = 0
    for part in slices(stores.cleaned, days, at_most=SWAP_ROWS):
        load_days(stores, part)
        _finish([stores], [day for day in own if day.event_date in part])
        taken = sum(rows.get(day, 0) for day in part)
        clock.made(f"cleaned.{stores.name}", part, taken)
        loaded += taken
    return loaded


def _left(streams: Sequence[StreamStores]) -> list[PendingDay]:
    names = {each.name for each in streams}
    with streams[0].stores.clickhouse.client(streams[0].log_comment) as client:
        return [day for day in pending_days(client) if day.stream in names]


def _finish(streams: Sequence[StreamStores], done: Sequence[PendingDay]) -> None:
    with streams[0].stores.clickhouse.client(streams[0].log_comment) as client:
        record_finished(client, done, REBUILD)


def _days_of_lake(stores: StreamStores) -> set[date]:
    return {day for day, rows in stores.cleaned.rows_by_day().items() if rows}


def _days_to_make(streams: Sequence[StreamStores]) -> dict[str, set[date]]:
    """The days of which the lake or the warehouse has rows: the latter may have too many.

    A warehouse that has rollups keeps their days of which retention has removed cleaned rows.
    """
    days = {each.name: _days_of_lake(each) | each.loader.rows_by_day().keys() for each in streams}
    with streams[0].stores.clickhouse.client(streams[0].log_comment) as client:
        if has_rollups(client):
            cleaned = [f"cleaned/{each.name}" for each in streams]
            expired = streams[0].stores.lake.expired_days().days(*cleaned)
            return {name: found - expired for name, found in days.items()}
    return days


def _work(left: Iterable[PendingDay], rows: Rows) -> int:
    """The rows that are left to load and to build. A day behind counts for all its streams."""
    loading = sum(rows.get(d.stream, {}).get(d.event_date, 0) for d in left if d.layer == CLEANED)
    behind = {day.event_date for day in left if day.layer in BEHIND}
    return loading + sum(by_day.get(day, 0) for by_day in rows.values() for day in behind)


def _ranges(days: Sequence[date], rows: Rows) -> list[list[date]]:
    """Unbroken ranges of days, of up to BUILD_ROWS rows or one day."""
    ranges: list[list[date]] = []
    count = 0
    for day in days:
        own = sum(by_day.get(day, 0) for by_day in rows.values())
        follows = bool(ranges) and ranges[-1][-1] + timedelta(days=1) == day
        if follows and count + own <= BUILD_ROWS:
            ranges[-1].append(day)
            count += own
        else:
            ranges.append([day])
            count = own
    return ranges
