"""Validates records of any number, block by block, in bounded memory.

Belongs here: what a file's batch and a rebuilt day have in common. Each block passes one query.
Accepted and rejected rows wait, in memory or in the spill folder, since the keys of all records
must be known before one of them can be called a duplicate. Then the tables take these rows. A
micro-batch fits into memory and is validated by `micro_batch` with the same query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.schemas import cleaned_schema
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.rows import (
    cleaned_rows,
    input_columns,
    rejected_rows,
    repeated_rows,
    with_event_dates,
)
from social_assets.pipeline.validation.spilled_rows import SpilledRows
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.first_landed import FirstLanded, Repeated
from social_assets.transform.landed_keys import KEY_HASH, KEY_HASH_TYPE
from social_assets.transform.validate_block import BlockValidator

BatchDay = tuple[str, date]
"""A batch's id and an event date."""


class LandedBatch(NamedTuple):
    """A batch, and when its first records landed."""

    ingested_at: datetime
    batch_id: str
    origin: str


@dataclass(frozen=True)
class Counts:
    """How many records of a batch landed on one event date, and what became of them.

    `batch` orders them as the batches landed.
    """

    batch: LandedBatch
    event_date: date
    landed: int
    accepted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True)
class ValidatedRecords:
    """The results of a validation, which exist until it ends.

    `counts` has the batches in the order in which they landed.
    `repeated` tells for each accepted record, in their order, if it is a duplicate.
    """

    days: list[date]
    counts: list[Counts]
    schema: pa.Schema
    accepted: SpilledRows
    rejected: SpilledRows
    repeated: Repeated

    def cleaned(self) -> pa.RecordBatchReader:
        """The rows of the cleaned table, in the order of the records."""
        return pa.RecordBatchReader.from_batches(self.schema, self._cleaned())

    def quarantine(self) -> pa.RecordBatchReader:
        """The rows of the quarantine table."""
        return pa.RecordBatchReader.from_batches(self.rejected.schema, self._quarantine())

    @property
    def is_quarantine_empty(self) -> bool:
        """Whether no record was rejected or a duplicate."""
        return all(each.accepted == each.landed for each in self.counts)

    def _cleaned(self) -> Iterator[pa.RecordBatch]:
        for batch, is_repeated in self._accepted():
            first = batch.filter(pc.invert(is_repeated)) if is_repeated.true_count else batch
            if first.num_rows:
                yield first

    def _quarantine(self) -> Iterator[pa.RecordBatch]:
        yield from self.rejected
        if not self.repeated.counts:
            return
        for batch, is_repeated in self._accepted():
            again = pa.Table.from_batches([batch.filter(is_repeated)])
            yield from repeated_rows(again).combine_chunks().to_batches()

    def _accepted(self) -> Iterator[tuple[pa.RecordBatch, pa.BooleanArray]]:
        row = 0
        for batch in self.accepted:
            yield batch, pa.array(self.repeated.flags[row : row + batch.num_rows])
            row += batch.num_rows


class Validation:
    """Validates records, block after block. `validation` opens one."""

    def __init__(
        self,
        stores: StreamStores,
        session: Session,
        validator: BlockValidator,
        *,
        with_keys: bool = False,
    ) -> None:
        self._stores = stores
        self._session = session
        self._validator = validator
        self._with_keys = with_keys
        self._schema = cleaned_schema(stores.contract)
        if with_keys:
            self._schema = self._schema.append(pa.field(KEY_HASH, KEY_HASH_TYPE))
        self._keys = FirstLanded(session)
        self._batches: dict[str, LandedBatch] = {}
        self._landed = Counter[BatchDay]()
        self._rejected = Counter[BatchDay]()
        folder = stores.engine.spill_folder()
        self._accepted_rows = SpilledRows(folder, self._schema)
        self._rejected_rows = SpilledRows(folder, stores.quarantine.schema)

    def add(self, raw: pa.Table) -> pa.Table:
        """Validate a block with the columns of RAW; returns it with all event dates.

        A null event date is filled from the record.
        """
        answer = self._validator.of(raw)
        raw = with_event_dates(raw, answer)
        records = raw.select(input_columns(self._stores.contract))
        is_accepted = pc.equal(answer["reasons"], "").combine_chunks()
        cleaned = cleaned_rows(records, answer, self._schema, is_accepted)
        keyed = cleaned
        if not self._with_keys:
            keyed = cleaned.append_column(KEY_HASH, answer[KEY_HASH].filter(is_accepted))
        self._keys.add(keyed)
        self._accepted_rows.add(cleaned)
        rejected = rejected_rows(records, answer, pc.invert(is_accepted))
        self._rejected_rows.add(rejected)
        self._count(records, rejected)
        return raw

    @property
    def has_records(self) -> bool:
        """Whether any record was added."""
        return bool(self._landed)

    def finished(self, *, is_rebuild: bool = False) -> ValidatedRecords:
        """The results. The cleaned rows of the same days have landed before these records, unless
        a rebuild replaces them.
        """
        self._accepted_rows.finish()
        self._rejected_rows.finish()
        days = sorted({day for _, day in self._landed})
        if not is_rebuild:
            self._add_landed(days)
        repeated = self._keys.repeated()
        return ValidatedRecords(
            days,
            self._counts(repeated),
            self._schema,
            self._accepted_rows,
            self._rejected_rows,
            repeated,
        )

    def close(self) -> None:
        """Give up the rows."""
        self._accepted_rows.close()
        self._rejected_rows.close()

    def _count(self, records: pa.Table, rejected: pa.Table) -> None:
        groups = records.group_by(["batch_id", "event_date", "origin"])
        counted = groups.aggregate([("ingested_at", "min"), ([], "count_all")])
        for row in counted.to_pylist():
            batch_id = row["batch_id"]
            self._landed[batch_id, row["event_date"]] += row["count_all"]
            batch = LandedBatch(row["ingested_at_min"], batch_id, row["origin"])
            self._batches[batch_id] = min(batch, self._batches.get(batch_id, batch))
        groups = rejected.group_by(["batch_id", "event_date"]).aggregate([([], "count_all")])
        for row in groups.to_pylist():
            self._rejected[row["batch_id"], row["event_date"]] += row["count_all"]

    def _counts(self, repeated: Repeated) -> list[Counts]:
        counts = []
        for key in sorted(self._landed, key=lambda each: (self._batches[each[0]], each[1])):
            batch_id, day = key
            landed, rejected, again = self._landed[key], self._rejected[key], repeated.counts[key]
            accepted = landed - rejected - again
            counts.append(Counts(self._batches[batch_id], day, landed, accepted, again, rejected))
        return counts

    def _add_landed(self, days: list[date]) -> None:
        contract, cleaned = self._stores.contract, self._stores.cleaned
        files = cleaned.files(days)
        if files:
            columns = ["event_date", *contract.key]
            self._keys.add_landed(self._session.scan(files, cleaned.schema, columns), contract)


@contextmanager
def validation(
    stores: StreamStores, session: Session, validator: BlockValidator, *, with_keys: bool = False
) -> Iterator[Validation]:
    """A validation for the block; its results exist until the end of the block. `validator` may
    have validated others before. `with_keys`: the rows of cleaned have KEY_HASH, too.
    """
    opened = Validation(stores, session, validator, with_keys=with_keys)
    try:
        yield opened
    finally:
        opened.close()
