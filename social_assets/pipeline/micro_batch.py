"""The hops of a micro-batch: raw, then quarantine and cleaned, then the warehouse.

Here belongs what each hop does with one micro-batch, and what is owed after a crash. A micro-batch
is known by its `ingested_at`, which no other shares: in microseconds it is the version of the
transaction MICRO_BATCH in the tables of the lake, and the loader's token and record. So what a hop
owes is what has a later `ingested_at` than the hop's record. The order in which micro-batches are
taken from a broker is the drain's.

A micro-batch that cannot be judged is quarantined whole: it lands in raw under a batch id of its
own, and counts as settled, so that those after it go on. A rebuild of its days takes it in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from social_assets.lake.delta import Applied, LakeTable
from social_assets.lake.schemas import PROVENANCE, QUARANTINE, RAW, cleaned_schema
from social_assets.pipeline.first_landed import Landed
from social_assets.pipeline.set_aside import is_of_the_batch, set_aside
from social_assets.pipeline.step_log import HopLog
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.validate import SEPARATOR
from social_assets.transform.validate_block import BlockVerdicts
from social_assets.warehouse.loader import rows_for_warehouse
from social_assets.warehouse.micro_batch_loader import MicroBatchLoader

MICRO_BATCH = "micro_batch"
"""The application whose version is the `ingested_at` of the last micro-batch a table has taken."""

JUDGED_COLUMNS = [name for name in RAW.names if name not in ("key", "headers")]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class DayCounts:
    """What became of the records of one event date."""

    landed: int
    accepted: int
    duplicates: int
    rejected: int


@dataclass(frozen=True)
class Judged:
    """A micro-batch with its verdicts, as rows of the three tables of the lake."""

    ingested_at: datetime
    raw: pa.Table
    cleaned: pa.Table
    quarantine: pa.Table
    error: Exception | None = None
    """Why the micro-batch cannot be judged, and is quarantined: it has rows of raw alone."""

    @property
    def batch_ids(self) -> list[str]:
        """The batches that its records are of."""
        found: list[str] = pc.unique(self.raw["batch_id"]).to_pylist()
        return found

    def counts(self) -> dict[date, DayCounts]:
        """What became of the records, by event date."""
        landed, accepted = _by_day(self.raw), _by_day(self.cleaned)
        verdict = self.quarantine["verdict"]
        duplicates = _by_day(self.quarantine.filter(pc.equal(verdict, "duplicate")))
        rejected = _by_day(self.quarantine.filter(pc.equal(verdict, "rejected")))
        return {
            day: DayCounts(rows, accepted.get(day, 0), duplicates.get(day, 0), rejected.get(day, 0))
            for day, rows in landed.items()
        }


class Judge:
    """Judges the micro-batches of one stream, one after the other. The lock is held meanwhile."""

    def __init__(self, stores: StreamStores, session: Session) -> None:
        self._schema = cleaned_schema(stores.contract)
        self._verdicts = BlockVerdicts(session, stores.contract)
        self._landed = Landed(stores, session)

    def judge(self, raw: pa.Table, ingested_at: datetime) -> Judged:
        """The verdicts on one micro-batch, which count as landed for the next one.

        `raw` is in the order of partition and offset, and has the columns of RAW, of which only
        landing needs `key` and `headers`; null event dates are filled with what the records say.
        Where the records cannot be judged, the result has the `error`, and they have the dates of
        their timestamps.
        """
        try:
            verdicts = self._verdicts.of(raw)
        except Exception as error:
            if not is_of_the_batch(error):
                raise
            return self._unjudged(raw, ingested_at, error)
        days = pc.coalesce(raw["event_date"], verdicts["event_date"])
        raw = raw.set_column(raw.column_names.index("event_date"), "event_date", days)
        verdicts = verdicts.set_column(
            verdicts.column_names.index("event_date"), "event_date", days
        )
        accepted = pc.equal(verdicts["reasons"], "").to_numpy()
        first = np.zeros(raw.num_rows, bool)
        first[accepted] = self._landed.admit(verdicts.filter(pa.array(accepted)), ingested_at)
        return Judged(
            ingested_at,
            raw,
            self._cleaned(raw, verdicts, first),
            _quarantine(raw, verdicts["reasons"], accepted, first),
        )

    def settled(self, judged: Judged) -> None:
        """The micro-batch is in cleaned and quarantine."""
        if judged.error is None:
            self._landed.settled(judged.ingested_at)

    def _unjudged(self, raw: pa.Table, ingested_at: datetime, error: Exception) -> Judged:
        index = raw.column_names.index("event_date")
        days = pc.coalesce(raw["event_date"], raw["timestamp"].cast(pa.date32()))
        rows = raw.set_column(index, RAW.field("event_date"), days)
        return Judged(
            ingested_at, rows, self._schema.empty_table(), QUARANTINE.empty_table(), error
        )

    def _cleaned(self, raw: pa.Table, verdicts: pa.Table, first: np.ndarray) -> pa.Table:
        columns = {
            name: (raw if name in PROVENANCE.names else verdicts)[name]
            for name in self._schema.names
        }
        return pa.table(columns).filter(pa.array(first)).cast(self._schema)


def _quarantine(
    raw: pa.Table, reasons: pa.ChunkedArray, accepted: np.ndarray, first: np.ndarray
) -> pa.Table:
    rejected = pa.array(~accepted)
    both = [
        rejected_rows(raw.filter(rejected), reasons.filter(rejected)),
        repeated_rows(raw.filter(pa.array(accepted & ~first))),
    ]
    return pa.concat_tables(both)


def rejected_rows(raw: pa.Table, reasons: pa.ChunkedArray) -> pa.Table:
    """The rows of quarantine of rejected records, whose rule names are joined in `reasons`."""
    names = [n for n in QUARANTINE.names if n not in ("reasons", "verdict")]
    rows = raw.select(names).append_column("reasons", pc.split_pattern(reasons, SEPARATOR))
    rows = rows.append_column("verdict", pa.repeat("rejected", rows.num_rows))
    return rows.select(QUARANTINE.names).cast(QUARANTINE)


def repeated_rows(records: pa.Table) -> pa.Table:
    """The rows of quarantine of duplicates: their positions without their bytes, which raw has."""
    count = records.num_rows
    said: dict[str, pa.Array] = {
        "value": pa.nulls(count, pa.binary()),
        "csv_header": pa.nulls(count, pa.string()),
        "reasons": pa.array([["duplicate"]] * count, pa.list_(pa.string())),
        "verdict": pa.repeat("duplicate", count),
    }
    columns = {n: said[n] if n in said else records[n] for n in QUARANTINE.names}
    return pa.table(columns).cast(QUARANTINE)


def land(stores: StreamStores, judged: Judged, offsets: Sequence[Applied]) -> None:
    """The first hop: the records in raw, with the offsets they were read up to."""
    applied = list(offsets)
    if judged.raw.num_rows:
        applied.append(Applied(MICRO_BATCH, version(judged.ingested_at)))
    stores.raw.append(judged.raw.cast(RAW), *applied)


def settle(stores: StreamStores, judged: Judged) -> None:
    """The second hop: every record of raw into quarantine or cleaned. Again changes nothing."""
    if not judged.raw.num_rows:
        return
    applied = Applied(MICRO_BATCH, version(judged.ingested_at), is_once=True)
    for table, rows in ((stores.quarantine, judged.quarantine), (stores.cleaned, judged.cleaned)):
        done = (table.applied_version(MICRO_BATCH) or 0) >= applied.version
        # Cleaned says for both that the batch is settled; quarantine mostly has nothing to add.
        if not done and (rows.num_rows or table.uri == stores.cleaned.uri):
            table.append(rows, applied)


def load(
    stores: StreamStores, loader: MicroBatchLoader, ingested_at: datetime, cleaned: pa.Table
) -> None:
    """The third hop: the accepted records into the warehouse."""
    loader.insert(ingested_at, cleaned.select(rows_for_warehouse(stores.contract)))


def settle_owed(stores: StreamStores, session: Session, loader: MicroBatchLoader) -> set[date]:
    """Take every micro-batch that has landed to where all are; returns the dates that changed.

    Called by whoever takes the stream's lock, before anything else.
    """
    changed: set[date] = set()
    if stores.raw.applied_version(MICRO_BATCH) is None:
        return changed
    judge = Judge(stores, session)
    for ingested_at, rows in _landed_after(session, stores.raw, JUDGED_COLUMNS, _settled(stores)):
        judged = judge.judge(rows, ingested_at)
        if judged.error is not None:
            quarantine(stores, judged)
        settle(stores, judged)
        judge.settled(judged)
        changed |= set(judged.counts())
    loaded_until = loader.loaded_until()
    # A quarantined micro-batch, too: its rows come into the warehouse with a rebuild of their days.
    newest = max(loaded_until, _settled(stores))
    columns = rows_for_warehouse(stores.contract)
    for ingested_at, rows in _landed_after(session, stores.cleaned, columns, loaded_until):
        days = set(_by_day(rows))
        stores.loader.record_interrupted(sorted(days), ingested_at)
        loader.insert(ingested_at, rows)
        changed |= days
        newest = ingested_at
    if newest > loaded_until:
        loader.mark_loaded(newest)
    return changed


def apart(judged: Judged) -> Judged:
    """The micro-batch under a batch id of its own: a drain's other records are of another batch."""
    own = f"{judged.batch_ids[0]}/{version(judged.ingested_at)}"
    index = judged.raw.column_names.index("batch_id")
    ids = pa.repeat(own, judged.raw.num_rows)
    return replace(judged, raw=judged.raw.set_column(index, RAW.field("batch_id"), ids))


def quarantine(stores: StreamStores, judged: Judged) -> None:
    """Record that a micro-batch is quarantined, and why. The caller then lands and settles it: of a
    batch that has not landed the record says nothing.
    """
    if judged.error is None:
        raise ValueError(f"micro-batch {judged.ingested_at} has been judged")
    log = HopLog(stores)
    origins = pc.unique(judged.raw["origin"]).to_pylist()
    for batch_id in judged.batch_ids:
        batch = set_aside(stores, batch_id, judged.error, origins)
        told = "%s is quarantined: %s; the stream goes on without it"
        log.error(told, batch.origin, batch.reason, extra={"hop": "judge", "batch_id": batch_id})


def _settled(stores: StreamStores) -> datetime:
    """The `ingested_at` of the last micro-batch that is settled."""
    return _EPOCH + (stores.cleaned.applied_version(MICRO_BATCH) or 0) * _MICROSECOND


def version(ingested_at: datetime) -> int:
    """The instant as the version of a transaction: microseconds since 1970."""
    return (ingested_at - _EPOCH) // _MICROSECOND


def _landed_after(
    session: Session, table: LakeTable, columns: Sequence[str], after: datetime
) -> Iterator[tuple[datetime, pa.Table]]:
    """The micro-batches of a table that landed later, one at a time, as they were."""
    files = table.files_since("ingested_at", after)
    if not files:
        return
    rows = session.scan(files, table.schema, list(columns))
    late = rows.filter((rows.source == "kafka") & (rows.ingested_at > _without_zone(after)))
    instants = session.table(late.select("ingested_at").distinct().order_by("ingested_at"))
    schema = pa.schema([table.schema.field(name) for name in columns])
    for instant in instants["ingested_at"].to_pylist():
        batch = late.filter(late.ingested_at == instant).order_by("partition", "offset")
        yield instant.replace(tzinfo=UTC), session.stream(batch, schema).read_all()


def _without_zone(instant: datetime) -> datetime:
    """As the engine compares times: UTC, all of them."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _by_day(rows: pa.Table) -> dict[date, int]:
    counted = pc.value_counts(rows["event_date"])
    return dict(
        zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    )
