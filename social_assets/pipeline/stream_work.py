"""The work on a stream from end to end: takes files through every step, or rebuilds days.

Belongs here: the order of the steps, and the recovery after a crash. Each step is a module of its
own. Every entry point takes the stream's lock and first recovers the batches that are pending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from resources.settings.engine import TransformEngine, engine
from social_assets.ingest.records import FileError
from social_assets.lake.ledger import MICRO_BATCH_PREFIXES
from social_assets.pipeline.clean import is_batch_cleaned, rebuild_days
from social_assets.pipeline.contracts.contract_in_force import record_in_force
from social_assets.pipeline.contracts.switch import complete_division, complete_switch
from social_assets.pipeline.day_slices import slices
from social_assets.pipeline.files.failed_files import record_failures
from social_assets.pipeline.files.file_batches import FileBatches, Replace, file_batches
from social_assets.pipeline.files.file_errors import check_name
from social_assets.pipeline.files.land import LandedFile
from social_assets.pipeline.files.unload_requests import pending
from social_assets.pipeline.landed_batches import is_cleaned_or_quarantined
from social_assets.pipeline.ledger_counts import account_cleaned, reconcile
from social_assets.pipeline.load import load_batch, load_days
from social_assets.pipeline.quarantined_batches import (
    is_of_the_batch,
    quarantined,
)
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.micro_batch import recover_micro_batches
from social_assets.warehouse.micro_batch_loader import micro_batch_loader

LandingDate = date | Callable[[Path], date | None] | None
"""The date of records without one: one date, or a function of the file; None means today."""

Check = Callable[[Path], None]
"""A function that raises FileError for a file that may not be loaded."""

SWAP_ROWS = 1_000_000
"""Days with up to this many cleaned rows are swapped together in the warehouse."""


@dataclass(frozen=True)
class Ingested:
    """The result of a call: landed files, event dates whose rows changed, files that failed."""

    landed: tuple[LandedFile, ...]
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

    If deployed rules are lost (`ContractInForce.incomplete`), files only land: they are pending
    until the contract is deployed.

    With `replace`, the landing of a file makes earlier batches of its content or name pending
    unloads. The caller must complete them (`unload.unload_pending`).

    A file that cannot be read, or for which `check` raises FileError, is listed in `failures`. The
    other files are loaded.
    """
    with _batches(stores) as batches:
        if replace is not None:
            stores.in_force.check_complete()
        if stores.in_force.incomplete:
            return _only_landed(stores, batches, paths, landing_date, check)
        # What is pending comes first: of the records of a key, the first landed is accepted.
        changed = recover(stores)

        def load(path: Path, on: date | None, before: Sequence[LandedFile]) -> LandedFile:
            if replace is None:
                return batches.load(path, on)
            return batches.load_anew(path, on, replace=replace, before=before)

        landed, failures = _each(stores, paths, load, landing_date, check)
        changed |= _days(stores, landed)
    return Ingested(tuple(landed), frozenset(changed), tuple(failures))


def land_files(
    stores: StreamStores,
    paths: Sequence[Path],
    landing_date: LandingDate = None,
    check: Check | None = None,
) -> Ingested:
    """Only land files in raw; a rebuild of their days does the other steps."""
    with _batches(stores) as batches:
        return _only_landed(stores, batches, paths, landing_date, check)


@contextmanager
def _batches(stores: StreamStores) -> Iterator[FileBatches]:
    """Hold the stream's lock, and read files under the contract that is in force by then."""
    with stores.lock():
        complete_division(stores)
        with file_batches(stores) as batches:
            yield batches


def _only_landed(
    stores: StreamStores,
    batches: FileBatches,
    paths: Sequence[Path],
    landing_date: LandingDate,
    check: Check | None,
) -> Ingested:
    landed, failures = _each(
        stores, paths, lambda path, on, _: batches.land(path, on), landing_date, check
    )
    reconcile(stores)
    return Ingested(tuple(landed), frozenset(_days(stores, landed)), tuple(failures))


def recover(stores: StreamStores, leave: frozenset[date] = frozenset()) -> set[date]:
    """Take every landed batch through the remaining steps; returns the dates that changed.

    A batch that is not cleaned and has only dates of `leave` is left out, because the caller
    rebuilds these dates. The caller must hold the stream's lock.
    """
    log = StepLog(stores)
    complete_division(stores)
    record_in_force(stores.stores.lake, stores.in_force)
    if stores.in_force.incomplete:
        reconcile(stores)
        return set()
    complete_switch(stores)
    changed = _recover_micro_batches(stores)
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
        if batch_id.startswith(MICRO_BATCH_PREFIXES):
            if not is_cleaned:
                account_cleaned(stores, days, batch_id)
            continue
        if is_cleaned and batch_id in loaded:
            continue
        is_appended = is_batch_cleaned(stores, batch_id, days)
        if days <= leave and not is_appended:
            continue
        # An interrupted rebuild may have swapped it, or a load begun to insert it: one of another
        # release, perhaps, which cut its rows otherwise.
        is_begun = not is_appended or stores.loader.has_rows_of(batch_id, sorted(days))
        if is_cleaned and is_begun:
            _swap_days(stores, batch_id, days)
        else:
            if is_appended:
                _record_interrupted(stores, batch_id, days)
            if not is_cleaned_or_quarantined(stores, log, batch_id, days):
                continue
            with log.step("load", batch_id):
                load_batch(stores, batch_id, sorted(days))
        changed |= days
    return changed


def rebuild(stores: StreamStores, days: Sequence[date]) -> None:
    """Rebuild cleaned, quarantine and the warehouse's `cleaned.<stream>` of some days from raw.

    Records facts and rollups of these days as pending. The caller rebuilds them; if it is killed,
    `finish_days` does.
    """
    with stores.lock():
        stores.in_force.check_complete()
        recover(stores, leave=frozenset(days))
        make_anew(stores, days)


def make_anew(stores: StreamStores, days: Sequence[date]) -> None:
    """Rebuild days as `rebuild` does.

    The caller must hold the stream's lock and must have recovered all batches of other days.
    """
    log, span = StepLog(stores), _span(days)
    # The whole lake first, so that `recover` can tell which batches a rebuild has cleaned.
    with log.step("rebuild", span):
        _rebuild_lake(stores, log, days)
    stores.loader.record_pending(sorted(days), stores.run_id)
    for each in slices(stores.cleaned, sorted(days), at_most=SWAP_ROWS):
        with log.step("swap", _span(each)):
            load_days(stores, each)
    landed = stores.ledger.days("raw")
    left_out = quarantined(stores)
    taken = {b: 0 for b, found in landed.items() if found <= set(days) and b not in left_out}
    stores.loader.mark_loaded(taken)


@contextmanager
def held(streams: Sequence[StreamStores]) -> Iterator[None]:
    """Hold the locks of several streams, all recovered, while their facts and rollups are rebuilt.

    A row that arrived meanwhile would be in the replaced table and not in the new one.
    """
    with ExitStack() as locks:
        # Always in the same order, to avoid a deadlock with others that hold several locks.
        for stores in sorted(streams, key=lambda each: each.name):
            locks.enter_context(stores.lock())
            recover(stores)
        yield


def _rebuild_lake(stores: StreamStores, log: StepLog, days: Sequence[date]) -> None:
    """Rebuild days with the quarantined batches; without them if they still cannot be cleaned."""
    left_out = quarantined(stores)
    rebuild_lake = _rebuild_of(engine())
    try:
        rebuild_lake(stores, days)
    except Exception as error:
        if not left_out or not is_of_the_batch(error):
            raise
        log.warning("quarantined batches stay out: %s", error, extra={"step": "rebuild"})
        rebuild_lake(stores, days, left_out.keys())


def _rebuild_of(chosen: TransformEngine) -> Callable[..., None]:
    """What rebuilds days of the lake: in this process, or on Spark."""
    if chosen is TransformEngine.DUCKDB:
        return rebuild_days
    # Imported here: only a rebuild on Spark needs it.
    from social_assets.pipeline.spark.rebuild import rebuild_on_spark

    return rebuild_on_spark


def _span(days: Sequence[date]) -> str:
    return f"{min(days)} to {max(days)}" if days else ""


def _recover_micro_batches(stores: StreamStores) -> set[date]:
    with stores.engine.session() as session, micro_batch_loader(stores.loader) as loader:
        return recover_micro_batches(stores, session, loader)


def _record_interrupted(stores: StreamStores, batch_id: str, days: set[date]) -> None:
    """Record that an earlier call may have begun to insert the batch, since it has cleaned it."""
    if begun := stores.ledger.first_recorded(batch_id):
        stores.loader.record_interrupted(sorted(days), begun)


def _swap_days(stores: StreamStores, batch_id: str, days: set[date]) -> None:
    """Swap the days of a batch whose rows the warehouse may have in part.

    An interrupted rebuild may have swapped the days, or an interrupted load begun to insert the
    batch, so inserting it could double its rows.
    """
    stores.loader.record_pending(sorted(days), "")
    load_days(stores, sorted(days))
    stores.loader.mark_loaded({batch_id: 0})


def _each(
    stores: StreamStores,
    paths: Sequence[Path],
    take: Callable[[Path, date | None, Sequence[LandedFile]], LandedFile],
    landing_date: LandingDate,
    check: Check | None,
) -> tuple[list[LandedFile], list[FileError]]:
    """Take one file after the other. `take` gets the file, the date of its records without one,
    and the files before it.
    """
    landed: list[LandedFile] = []
    failures: list[FileError] = []
    log = StepLog(stores)
    for path in paths:
        try:
            check_name(path)
            if check is not None:
                check(path)
            on = landing_date(path) if callable(landing_date) else landing_date
            landed.append(take(path, on, landed))
        except FileError as error:
            failures.append(error.with_traceback(None))
            log.warning("not landed: %s", error, extra={"step": "land"})
        else:
            how = {"step": "land", "batch_id": landed[-1].batch_id, "notes": landed[-1].notes}
            log.info("%s has landed", path.name, extra=how)
    record_failures(stores, failures, {each.path.name for each in landed})
    return landed, failures


def _days(stores: StreamStores, landed: Sequence[LandedFile]) -> set[date]:
    """The event dates of the files that an earlier call had not landed."""
    known = stores.ledger.days("raw")
    return {d for f in landed if not f.already for d in known.get(f.batch_id, set())}
