"""A stream's work from end to end: take files through every hop, or make days anew.

Here belongs the order of the hops, and what is owed after a crash; each hop is a module of its
own. Both entry points hold the stream's lock and begin by settling what an earlier one left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from social_assets.ingest.files.open_file import content_hash
from social_assets.ingest.records import FileError
from social_assets.lake.expired_days import RetiredDaysError
from social_assets.lake.ledger import BATCH_PREFIX
from social_assets.pipeline.clean import clean_batch, is_batch_cleaned, rebuild_days, slices
from social_assets.pipeline.land import Landed, land_file
from social_assets.pipeline.ledger_counts import account_cleaned, reconcile
from social_assets.pipeline.load import load_batch, load_days
from social_assets.pipeline.micro_batch import settle_owed
from social_assets.pipeline.set_aside import is_of_the_batch, quarantined, set_aside
from social_assets.pipeline.step_log import HopLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.unload_requests import (
    batch_of,
    content_of,
    earlier_batches,
    pending,
    request_unload,
)
from social_assets.transform.duckdb_engine import Session
from social_assets.warehouse.micro_batch_loader import micro_batch_loader

LandingDate = date | Callable[[Path], date | None] | None
"""The date of records that carry none: one for all, or a function of the file; None is today."""

Check = Callable[[Path], None]
"""Raises FileError for a file that may not be loaded."""

SWAP_ROWS = 1_000_000
"""Days are swapped in the warehouse together up to this many cleaned rows."""


@dataclass(frozen=True)
class Replace:
    """That a load replaces earlier ones; `sources` as `request_unload` takes them."""

    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ingested:
    """What a call took: the files landed, the event dates whose rows changed, the bad files."""

    landed: tuple[Landed, ...]
    days: frozenset[date]
    failures: tuple[FileError, ...] = ()


def ingest_files(
    stores: StreamStores,
    paths: Sequence[Path],
    landing_date: LandingDate = None,
    check: Check | None = None,
    replace: Replace | None = None,
) -> Ingested:
    """Take files through raw, cleaned and quarantine into the warehouse.

    With `replace`, earlier batches of a file's content or name become pending unloads as the file
    lands; the caller completes them (`unload.unload_pending`).

    A file that cannot be read fails alone: the others go their way, and it is among `failures`.
    So does one for which `check` raises FileError.
    """
    with stores.lock():
        landed, failures = _land(stores, paths, landing_date, check, replace)
        days = settle(stores)
        known = stores.ledger.days("raw")
        for file in landed:
            if not file.already:
                days |= known.get(file.batch_id, set())
    return Ingested(tuple(landed), frozenset(days), tuple(failures))


def land_files(
    stores: StreamStores,
    paths: Sequence[Path],
    landing_date: LandingDate = None,
    check: Check | None = None,
) -> Ingested:
    """Land files in raw and no further; a rebuild of their days takes them on."""
    with stores.lock():
        landed, failures = _land(stores, paths, landing_date, check)
        known = stores.ledger.days("raw")
        days = [known.get(f.batch_id, set()) for f in landed if not f.already]
    return Ingested(tuple(landed), frozenset().union(*days), tuple(failures))


def settle(stores: StreamStores, leave: frozenset[date] = frozenset()) -> set[date]:
    """Take every landed batch on to where all batches are; returns the dates that changed.

    Batches that lie within the dates of `leave` and are not cleaned are left: the caller makes
    those dates anew. The lock is held by the caller.
    """
    log = HopLog(stores)
    changed = _settle_micro_batches(stores)
    reconcile(stores)
    stores.loader.prepare()
    landed = stores.ledger.days("raw")
    cleaned = stores.ledger.days("cleaned")
    loaded = stores.loader.loaded()
    left = {*quarantined(stores), *(each.batch_id for each in pending(stores))}
    for batch_id, days in landed.items():
        if batch_id in left:
            continue
        is_cleaned = cleaned.get(batch_id) == days
        if batch_id.startswith(BATCH_PREFIX):
            if not is_cleaned:
                account_cleaned(stores, days, batch_id)
            continue
        if is_cleaned and batch_id in loaded:
            continue
        is_appended = is_batch_cleaned(stores, batch_id, days)
        if days <= leave and not is_appended:
            continue
        if is_cleaned and not is_appended:
            _finish_rebuild(stores, batch_id, days)
        else:
            if is_appended:
                _record_interrupted(stores, batch_id, days)
            if not _is_cleaned_or_set_aside(stores, log, batch_id, days):
                continue
            with log.hop("load", batch_id):
                load_batch(stores, batch_id, sorted(days))
        changed |= days
    return changed


def rebuild(stores: StreamStores, days: Sequence[date]) -> None:
    """Make cleaned, quarantine and the warehouse's `cleaned.<stream>` of some days anew from raw.

    Facts and rollups are recorded as pending for these days: the caller rebuilds them, or
    `finish_days` does if the caller is killed.
    """
    with stores.lock():
        settle(stores, leave=frozenset(days))
        make_anew(stores, days)


def make_anew(stores: StreamStores, days: Sequence[date]) -> None:
    """What `rebuild` does; the caller holds the lock and has settled all batches but theirs."""
    log, span = HopLog(stores), _span(days)
    # All of the lake first: only so can `settle` tell a batch that a rebuild has taken.
    with log.hop("rebuild", span):
        _rebuild_lake(stores, log, days)
    stores.loader.record_pending(sorted(days), stores.run_id)
    for each in slices(stores.cleaned, sorted(days), stores.engine, at_most=SWAP_ROWS):
        with log.hop("swap", _span(each.days)):
            load_days(stores, each.days)
    landed = stores.ledger.days("raw")
    left_out = quarantined(stores)
    taken = {b: 0 for b, found in landed.items() if found <= set(days) and b not in left_out}
    stores.loader.mark_loaded(taken)


@contextmanager
def held(streams: Sequence[StreamStores]) -> Iterator[None]:
    """Hold several streams still, all settled, while what lies behind them is made anew.

    A row that came in between would be in the table that is replaced and not in its successor.
    """
    with ExitStack() as locks:
        # One order for all who hold more than one, so that none waits for the other.
        for stores in sorted(streams, key=lambda each: each.contract.name):
            locks.enter_context(stores.lock())
            settle(stores)
        yield


def _is_cleaned_or_set_aside(
    stores: StreamStores, log: HopLog, batch_id: str, days: set[date]
) -> bool:
    """Clean a batch; false if it can't be, and is quarantined."""
    try:
        with log.hop("clean", batch_id):
            clean_batch(stores, batch_id, sorted(days))
    except Exception as error:
        if not is_of_the_batch(error):
            raise
        batch = set_aside(stores, batch_id, error)
        told = "%s is quarantined: %s; the stream goes on without it"
        log.error(told, batch.origin, batch.reason, extra={"hop": "clean", "batch_id": batch_id})
        return False
    return True


def _rebuild_lake(stores: StreamStores, log: HopLog, days: Sequence[date]) -> None:
    """With the records of quarantined batches; without them if they still can't be cleaned."""
    left_out = quarantined(stores)
    try:
        rebuild_days(stores, days)
    except Exception as error:
        if not left_out or not is_of_the_batch(error):
            raise
        log.warning("quarantined batches stay out: %s", error, extra={"hop": "rebuild"})
        rebuild_days(stores, days, left_out.keys())


def _span(days: Sequence[date]) -> str:
    return f"{min(days)} to {max(days)}" if days else ""


def _settle_micro_batches(stores: StreamStores) -> set[date]:
    with stores.engine.session() as session, micro_batch_loader(stores.loader) as loader:
        return settle_owed(stores, session, loader)


def _record_interrupted(stores: StreamStores, batch_id: str, days: set[date]) -> None:
    """An earlier call has cleaned the batch, so it may have begun to insert it."""
    if begun := stores.ledger.first_recorded(batch_id):
        stores.loader.record_interrupted(sorted(days), begun)


def _finish_rebuild(stores: StreamStores, batch_id: str, days: set[date]) -> None:
    """Swap the days of a batch that a rebuild, cut short before its end, has cleaned.

    Its days may have been swapped already, so that to insert it could double it.
    """
    stores.loader.record_pending(sorted(days), "")
    load_days(stores, sorted(days))
    stores.loader.mark_loaded({batch_id: 0})


def _land_anew(
    stores: StreamStores,
    session: Session,
    path: Path,
    on: date | None,
    *,
    replace: Replace,
    before: Sequence[Landed],
) -> Landed:
    """Land a file in the place of earlier batches of its content or name.

    The requests to unload those count from the commit on that lands the file: a file that can't be
    read replaces nothing. Batches of this call, `before`, are not replaced.
    """
    content = content_hash(path)
    this_call = {each.batch_id for each in before}
    if content in map(content_of, this_call):
        return land_file(stores, session, path, on)
    earlier = [b for b in earlier_batches(stores, content, path.name) if b not in this_call]
    batch = batch_of(stores, content, anew=True)
    try:
        request_unload(stores, earlier, replace.sources, replaced_by=batch.batch_id)
    except RetiredDaysError as error:
        raise FileError(path, f"it can't replace what was loaded before: {error}") from error
    landed = land_file(stores, session, path, on, batch)
    if earlier and stores.raw.applied_version(batch.batch_id) is None:
        told = "it has no records and replaces nothing; `social-assets unload` empties a load"
        raise FileError(path, told)
    return landed


def _land(
    stores: StreamStores,
    paths: Sequence[Path],
    landing_date: LandingDate,
    check: Check | None,
    replace: Replace | None = None,
) -> tuple[list[Landed], list[FileError]]:
    landed: list[Landed] = []
    failures: list[FileError] = []
    log = HopLog(stores)
    if replace is not None:
        reconcile(stores)
    with stores.engine.session() as session:
        for path in paths:
            try:
                if check is not None:
                    check(path)
                on = landing_date(path) if callable(landing_date) else landing_date
                if replace is None:
                    landed.append(land_file(stores, session, path, on))
                else:
                    landed.append(
                        _land_anew(stores, session, path, on, replace=replace, before=landed)
                    )
            except FileError as error:
                failures.append(error)
                log.warning("not landed: %s", error, extra={"hop": "land"})
            else:
                how = {"hop": "land", "batch_id": landed[-1].batch_id}
                log.info("%s has landed", path.name, extra=how)
    reconcile(stores)
    return landed, failures
