"""Takes one file through all steps, or lands it: decoded and validated once, block by block.

Belongs here: what is done with one file. While its records land, they are validated; the results
wait in memory or in the spill folder until raw is committed; then cleaned, quarantine and the
warehouse take them. If the engine is Spark, a large file only lands, and its batch is cleaned from
raw. The order of files and the recovery after a crash belong to `stream_work`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from resources.settings.engine import TransformEngine, engine_of_load
from social_assets.ingest.files.open_file import content_hash
from social_assets.ingest.records import FileError
from social_assets.lake.expired_days import ExpiredDaysError
from social_assets.pipeline.clean import append_batch
from social_assets.pipeline.files.land import LandedFile, land_file
from social_assets.pipeline.files.unload_requests import (
    FileBatch,
    batch_of,
    content_of,
    earlier_batches,
    request_unload,
    unloading,
)
from social_assets.pipeline.landed_batches import is_cleaned_or_quarantined
from social_assets.pipeline.ledger_counts import enter_cleaned, enter_landed, reconcile
from social_assets.pipeline.load import load_batch, load_validated
from social_assets.pipeline.privacy.forgotten_records import stream_validator
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantine_batch
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.records import ValidatedRecords, validation
from social_assets.pipeline.validation.rows import with_event_dates
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate_block import BlockValidator, EventDates


@dataclass(frozen=True)
class Replace:
    """A load that replaces earlier ones; `sources` are those of `request_unload`.

    It replaces the batches of a file's content or name. With `of`, it replaces the batch of each
    file there, and no batch of other files.
    """

    sources: tuple[str, ...] = ()
    of: Mapping[Path, str] | None = None


@dataclass(frozen=True)
class FileBatches:
    """The files of one call. The caller must hold the stream's lock."""

    stores: StreamStores
    reading: Session
    validating: Session
    validator: BlockValidator
    dates: EventDates

    def land(self, path: Path, on: date | None, batch: FileBatch | None = None) -> LandedFile:
        """Only land a file; raises FileError. The caller must enter it in the ledger."""

        def dated(block: pa.Table) -> pa.Table:
            return with_event_dates(block, self.dates.of(block))

        return land_file(
            self.stores, self.reading, path, validate=dated, landing_date=on, batch=batch
        )

    def load(self, path: Path, on: date | None, batch: FileBatch | None = None) -> LandedFile:
        """Take a file through all steps; raises FileError, and nothing has landed.

        The caller must have recovered the stream. `batch` is the batch to land the file as, if the
        caller has chosen one.
        """
        if path.is_file() and engine_of_load(path.stat().st_size) is TransformEngine.SPARK:
            return self._load_large(path, on, batch)
        with validation(self.stores, self.validating, self.validator) as records:
            landed = land_file(
                self.stores,
                self.reading,
                path,
                validate=records.add,
                landing_date=on,
                batch=batch,
            )
            if landed.already or not records.has_records:
                return landed
            log = StepLog(self.stores)
            validated = self._cleaned(log, landed, records.finished)
            if validated is not None:
                with log.step("load", landed.batch_id):
                    load_validated(self.stores, landed.batch_id, validated)
        return landed

    def _load_large(self, path: Path, on: date | None, batch: FileBatch | None) -> LandedFile:
        """Land a file, then let Spark clean its batch from raw."""
        landed = self.land(path, on, batch)
        if landed.already:
            return landed
        stores, batch_id, log = self.stores, landed.batch_id, StepLog(self.stores)
        reconcile(stores)
        days = stores.ledger.days("raw").get(batch_id)
        if days and is_cleaned_or_quarantined(stores, log, batch_id, days):
            with log.step("load", batch_id):
                load_batch(stores, batch_id, sorted(days))
        return landed

    def load_anew(
        self, path: Path, on: date | None, *, replace: Replace, before: Sequence[LandedFile]
    ) -> LandedFile:
        """Load a file that replaces earlier batches of its content or name.

        The requests to unload these batches take effect with the commit that lands the file, so a
        file that cannot be read replaces nothing. Does not replace the batches of this call
        (`before`). The caller must complete the requests (`unload.unload_pending`).
        """
        stores = self.stores
        content = content_hash(path)
        this_call = {each.batch_id for each in before}
        if content in map(content_of, this_call):
            return self.load(path, on)
        if replace.of is not None:
            named = replace.of.get(path, "")
            gone = unloading(stores)
            earlier = [b for b in (named,) if b in stores.ledger.days("raw") and b not in gone]
            if not earlier or content == content_of(named):
                return self.load(path, on)
        else:
            found = earlier_batches(stores, content, path.name)
            earlier = [b for b in found if b not in this_call]
        batch = batch_of(stores, content, anew=True)
        try:
            request_unload(stores, earlier, replace.sources, replaced_by=batch.batch_id)
        except ExpiredDaysError as error:
            raise FileError(path, f"it can't replace what was loaded before: {error}") from error
        landed = self.load(path, on, batch)
        if earlier and stores.raw.applied_version(batch.batch_id) is None:
            told = "it has no records and replaces nothing; `social-assets unload` empties a load"
            raise FileError(path, told)
        return landed

    def _cleaned(
        self, log: StepLog, landed: LandedFile, finished: Callable[[], ValidatedRecords]
    ) -> ValidatedRecords | None:
        """Clean a landed batch; None if it cannot be cleaned and was quarantined."""
        stores, batch_id = self.stores, landed.batch_id
        try:
            with log.step("clean", batch_id):
                validated = finished()
                append_batch(stores, batch_id, len(validated.days), validated)
        except Exception as error:
            if not is_of_the_batch(error):
                raise
            reconcile(stores)
            quarantine_batch(stores, batch_id, error, "clean")
            return None
        enter_landed(stores, validated.counts)
        enter_cleaned(stores, validated.counts)
        return validated


@contextmanager
def file_batches(stores: StreamStores) -> Iterator[FileBatches]:
    """The files of a call; the spellings of one are known when the next one is validated."""
    with stores.engine.session() as reading, stores.engine.session() as validating:
        validator = stream_validator(stores, validating)
        dates = EventDates(validating, stores.contract)
        yield FileBatches(stores, reading, validating, validator, dates)
