"""The steps of a micro-batch: raw, then quarantine and cleaned, then the warehouse.

Belongs here: what each step does with one micro-batch, and the recovery after a crash. A
micro-batch is identified by its `ingested_at`, which is unique. In microseconds, it is the version
of the transaction MICRO_BATCH in the tables of the lake, and the loader's token and record. A
micro-batch is pending for a step if its `ingested_at` is later than the last one that the step
recorded. The order in which micro-batches are read from a broker belongs to `drain`.

A micro-batch that cannot be validated is quarantined as a whole: it lands in raw under its own
batch id and counts as cleaned, so that later ones are not blocked. A rebuild of its days includes
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.ledger import MICRO_BATCH_SOURCES
from social_assets.lake.schemas import ELEMENT, RAW, cleaned_schema
from social_assets.pipeline.privacy.forgotten_records import stream_validator
from social_assets.pipeline.quarantined_batches import is_of_the_batch, quarantine_batch
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.topics.landed_keys_by_day import StreamKeys
from social_assets.pipeline.validation.rows import (
    cleaned_rows,
    input_columns,
    rejected_rows,
    repeated_rows,
    with_days,
    with_event_dates,
)
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.landed_keys import KEY_HASH
from social_assets.warehouse.loader import rows_for_warehouse
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader

MICRO_BATCH = "micro_batch"
"""The application id whose version is the `ingested_at` of a table's last micro-batch."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class DayCounts:
    """How many records of one event date landed, were accepted, duplicates, or rejected."""

    landed: int
    accepted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True)
class ValidatedBatch:
    """A validated micro-batch as rows of the three tables of the lake."""

    ingested_at: datetime
    raw: pa.Table
    cleaned: pa.Table
    quarantine: pa.Table
    error: Exception | None = None
    """Why the micro-batch cannot be validated and is quarantined; it then has only rows of raw."""

    @property
    def batch_ids(self) -> list[str]:
        """The ids of the batches that its records belong to."""
        found: list[str] = pc.unique(self.raw["batch_id"]).to_pylist()
        return found

    def counts(self) -> dict[date, DayCounts]:
        """The counts by event date."""
        landed, accepted = _by_day(self.raw), _by_day(self.cleaned)
        kind = self.quarantine["verdict"]
        duplicates = _by_day(self.quarantine.filter(pc.equal(kind, "duplicate")))
        rejected = _by_day(self.quarantine.filter(pc.equal(kind, "rejected")))
        return {
            day: DayCounts(rows, accepted.get(day, 0), duplicates.get(day, 0), rejected.get(day, 0))
            for day, rows in landed.items()
        }


class BatchValidator:
    """Validates the micro-batches of one stream, in order. The caller must hold its lock."""

    def __init__(self, stores: StreamStores, session: Session) -> None:
        self._schema = cleaned_schema(stores.contract)
        self._quarantine = stores.quarantine.schema
        self._columns = input_columns(stores.contract)
        self._validator = stream_validator(stores, session)
        self._landed = StreamKeys(stores, session)

    def validate(self, raw: pa.Table, ingested_at: datetime) -> ValidatedBatch:
        """Validate one micro-batch; its accepted records count as landed for the next one.

        `raw` has the columns of RAW, ordered by partition and offset; `key` and `headers` may be
        missing if it is not landed afterwards. A null event date is filled from the record. If the
        records cannot be validated, the result has the `error` and the dates of their timestamps.
        """
        try:
            answer = self._validator.of(raw)
        except Exception as error:
            if not is_of_the_batch(error):
                raise
            return self._without_results(raw, ingested_at, error)
        raw = with_event_dates(raw, answer)
        accepted = pc.equal(answer["reasons"], "").to_numpy()
        keys = pa.table({"event_date": raw["event_date"], KEY_HASH: answer[KEY_HASH]})
        first = np.zeros(raw.num_rows, bool)
        first[accepted] = self._landed.admit(keys.filter(pa.array(accepted)), ingested_at)
        records = raw.select(self._columns)
        repeated = records.filter(pa.array(accepted & ~first))
        quarantined = [
            rejected_rows(records, answer, pa.array(~accepted)),
            repeated_rows(repeated),
        ]
        return ValidatedBatch(
            ingested_at,
            raw,
            cleaned_rows(records, answer, self._schema, pa.array(first)),
            pa.concat_tables(quarantined),
        )

    def committed(self, validated: ValidatedBatch) -> None:
        """Record that the micro-batch is in cleaned and quarantine."""
        if validated.error is None:
            self._landed.committed(validated.ingested_at)

    def _without_results(
        self, raw: pa.Table, ingested_at: datetime, error: Exception
    ) -> ValidatedBatch:
        days = pc.coalesce(raw["event_date"], raw["timestamp"].cast(pa.date32()))
        rows = with_days(raw, days)
        return ValidatedBatch(
            ingested_at, rows, self._schema.empty_table(), self._quarantine.empty_table(), error
        )


def land(stores: StreamStores, validated: ValidatedBatch, offsets: Sequence[Applied]) -> None:
    """The first step: append the records to raw, with the offsets up to which they were read."""
    applied = list(offsets)
    if validated.raw.num_rows:
        applied.append(Applied(MICRO_BATCH, version(validated.ingested_at)))
    stores.raw.append(validated.raw.cast(stores.raw.schema), *applied)


def clean(stores: StreamStores, batch: ValidatedBatch) -> None:
    """The second step: append to quarantine and cleaned. Repeating it changes nothing."""
    if not batch.raw.num_rows:
        return
    applied = Applied(MICRO_BATCH, version(batch.ingested_at), is_once=True)
    for table, rows in ((stores.quarantine, batch.quarantine), (stores.cleaned, batch.cleaned)):
        done = (table.applied_version(MICRO_BATCH) or 0) >= applied.version
        # Cleaned records the batch even without rows; quarantine mostly has no rows to add.
        if not done and (rows.num_rows or table.uri == stores.cleaned.uri):
            table.append(rows, applied)


def load(
    stores: StreamStores, loader: MicroBatchLoader, ingested_at: datetime, cleaned: pa.Table
) -> None:
    """The third step: insert the accepted records into the warehouse."""
    loader.insert(ingested_at, cleaned.select(rows_for_warehouse(stores.contract)))


def recover_micro_batches(
    stores: StreamStores, session: Session, loader: MicroBatchLoader
) -> set[date]:
    """Take every landed micro-batch through the remaining steps; returns the dates that changed.

    Whoever takes the stream's lock must call this before anything else.
    """
    changed: set[date] = set()
    if stores.raw.applied_version(MICRO_BATCH) is None:
        return changed
    validator = BatchValidator(stores, session)
    for ingested_at, rows in landed_after(
        session, stores.raw, input_columns(stores.contract), cleaned_until(stores)
    ):
        validated = validator.validate(rows, ingested_at)
        if validated.error is not None:
            quarantine(stores, validated)
        clean(stores, validated)
        validator.committed(validated)
        changed |= set(validated.counts())
    loaded_until = loader.loaded_until()
    # Quarantined micro-batches too: a rebuild of their days loads their rows.
    newest = max(loaded_until, cleaned_until(stores))
    columns = rows_for_warehouse(stores.contract)
    for ingested_at, rows in landed_after(session, stores.cleaned, columns, loaded_until):
        days = set(_by_day(rows))
        stores.loader.record_interrupted(sorted(days), ingested_at)
        loader.insert(ingested_at, rows)
        changed |= days
        newest = ingested_at
    if newest > loaded_until:
        loader.mark_loaded(newest)
    return changed


def with_own_batch_id(validated: ValidatedBatch) -> ValidatedBatch:
    """The micro-batch under a batch id of its own, so that it is quarantined without the drain's
    other records.
    """
    own = f"{validated.batch_ids[0]}/{version(validated.ingested_at)}"
    index = validated.raw.column_names.index("batch_id")
    ids = pa.repeat(own, validated.raw.num_rows)
    return replace(validated, raw=validated.raw.set_column(index, RAW.field("batch_id"), ids))


def quarantine(stores: StreamStores, validated: ValidatedBatch) -> None:
    """Record that a micro-batch is quarantined, and why.

    The caller must then land and clean it: the record has no effect for a batch that has not
    landed.
    """
    if validated.error is None:
        raise ValueError(f"micro-batch {validated.ingested_at} has been validated")
    origins = pc.unique(validated.raw["origin"]).to_pylist()
    for batch_id in validated.batch_ids:
        quarantine_batch(stores, batch_id, validated.error, "validate", origins)


def cleaned_until(stores: StreamStores) -> datetime:
    """The `ingested_at` of the last micro-batch that is cleaned."""
    return _EPOCH + (stores.cleaned.applied_version(MICRO_BATCH) or 0) * _MICROSECOND


def version(ingested_at: datetime) -> int:
    """The transaction's version for an `ingested_at`: microseconds since 1970."""
    return (ingested_at - _EPOCH) // _MICROSECOND


def landed_after(
    session: Session, table: LakeTable, columns: Sequence[str], after: datetime
) -> Iterator[tuple[datetime, pa.Table]]:
    """The table's micro-batches that landed after `after`, one at a time, in their order."""
    files = table.files_since("ingested_at", after)
    if not files:
        return
    rows = session.scan(files, table.schema, list(columns), may_lack=True)
    is_late = rows.ingested_at > _without_zone(after)
    late = rows.filter(rows.source.isin(MICRO_BATCH_SOURCES) & is_late)
    instants = session.table(late.select("ingested_at").distinct().order_by("ingested_at"))
    schema = pa.schema([table.schema.field(name) for name in columns])
    place = [n for n in ("partition", "offset", ELEMENT.name) if n in columns]
    for instant in instants["ingested_at"].to_pylist():
        batch = late.filter(late.ingested_at == instant).order_by(place)
        yield instant.replace(tzinfo=UTC), session.stream(batch, schema).read_all()


def _without_zone(instant: datetime) -> datetime:
    """The time as the engine compares it: in UTC, without a zone."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _by_day(rows: pa.Table) -> dict[date, int]:
    values, counts = pc.value_counts(rows["event_date"].combine_chunks()).flatten()
    return dict(zip(values.to_pylist(), counts.to_pylist(), strict=True))
