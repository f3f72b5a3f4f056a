"""Finishes days of the warehouse that a killed run, or a lost table, has left unfinished.

Belongs here: the order of the steps. `warehouse.pending_days` records the days. Safe to repeat: a
day is swapped or rebuilt whole, and stays pending until that has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.load import load_days
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import SWAP_ROWS, held
from social_assets.warehouse.pending_days import (
    ALL_DAYS,
    BEHIND,
    CLEANED,
    PendingDay,
    pending_days,
    record_finished,
)

BuildDays = Callable[[date, date], None]
"""Rebuilds facts, dimensions and rollups of a range of days, both ends included, by dbt."""


def finish_pending_days(
    streams: Sequence[StreamStores],
    build_days: BuildDays,
    is_at_work: Callable[[str], bool],
) -> dict[str, list[date]]:
    """Finish the pending days of all streams; returns the days that changed, by stream.

    `streams` are all streams of the installation: a rollup has rows of several. Days of a run that
    `is_at_work` says is under way are left to that run. Without pending days this costs one query.
    """
    if not _left(streams, is_at_work):
        return {}
    with held(streams):
        left = _left(streams, is_at_work)
        by_stream = {
            each.name: each for each in streams if any(day.stream == each.name for day in left)
        }
        for name, stores in by_stream.items():
            lost = _days_of(stores, [d for d in left if d.stream == name and d.layer == CLEANED])
            for part in slices(stores.cleaned, lost, at_most=SWAP_ROWS):
                load_days(stores, part)
            _finish(stores, (CLEANED,), left)
        days = {name: _days_of(stores, left) for name, stores in by_stream.items()}
        for first, last in _ranges(days):
            build_days(first, last)
        for stores in by_stream.values():
            _finish(stores, BEHIND, left)
    return days


def _left(streams: Sequence[StreamStores], is_at_work: Callable[[str], bool]) -> list[PendingDay]:
    if not streams:
        return []
    with streams[0].stores.clickhouse.client(streams[0].log_comment) as client:
        found = pending_days(client)
    at_work = {run_id for run_id in {day.run_id for day in found} if run_id and is_at_work(run_id)}
    return [day for day in found if day.run_id not in at_work]


def _days_of(stores: StreamStores, pending: Sequence[PendingDay]) -> list[date]:
    """The days of a stream that are pending; for ALL_DAYS those that the lake has rows of."""
    own = {day.event_date for day in pending if day.stream == stores.name}
    if ALL_DAYS in own:
        own |= {day for day, rows in stores.cleaned.rows_by_day().items() if rows}
    return sorted(own - {ALL_DAYS})


def _finish(stores: StreamStores, layers: Sequence[str], pending: Sequence[PendingDay]) -> None:
    name = stores.name
    with stores.stores.clickhouse.client(stores.log_comment) as client:
        done = [day for day in pending if day.stream == name and day.layer in layers]
        record_finished(client, done, stores.run_id)


def _ranges(days: Mapping[str, Sequence[date]]) -> list[tuple[date, date]]:
    """The unbroken ranges of all days: dbt builds a range at once."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set().union(*days.values())):
        if ranges and ranges[-1][1] + timedelta(days=1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
