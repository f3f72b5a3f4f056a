"""Takes a batch of collected records through every step: exactly once, wherever it is killed.

Belongs here: the order of the steps. The batch is written to the spool; each stream takes its
records as one micro-batch, whose commit in raw has the transaction `collect/<platform>`; then the
positions of the chains are promoted, and the batch leaves the spool. After a crash,
`recover_pages` does what is missing. What a step does with a micro-batch belongs to
`topics.micro_batch`; asking the platform belongs to the connectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from social_assets.lake.delta import Applied
from social_assets.lake.ledger import PAGES_PREFIX, Entry
from social_assets.lake.lock import stream_lock
from social_assets.lake.schemas import ELEMENT
from social_assets.pipeline.files.land import arrival
from social_assets.pipeline.pages.spool import PageBatch, PageSpool
from social_assets.pipeline.step_log import StepLog
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.stream_work import recover
from social_assets.pipeline.topics.micro_batch import (
    BatchValidator,
    ValidatedBatch,
    clean,
    land,
    load,
    quarantine,
    with_own_batch_id,
)
from social_assets.warehouse.micro_batch_loader import micro_batch_loader

Promote = Callable[[Mapping[str, object]], None]
"""Records the new positions of a batch's chains. Repeating it must change nothing."""

MOST_RECORDS = 50_000
"""A batch has about so many records at most: each stream validates its part in memory."""


def collect_transaction(platform: str) -> str:
    """The application id whose version is a table's last batch of a platform."""
    return f"collect/{platform.lower()}"


@contextmanager
def platform_lock(locks: Path, platform: str) -> Iterator[None]:
    """Wait for the lock of a platform: one process at a time collects from it."""
    with stream_lock(locks, f"collect_{platform.lower()}"):
        yield


@dataclass(frozen=True)
class PagePipeline:
    """Takes the batches of one platform through all steps. The caller must hold `platform_lock`.

    `streams` are the stores of the streams that the platform's endpoints feed, by name.
    """

    spool: PageSpool
    platform: str
    streams: Mapping[str, StreamStores]
    promote: Promote

    def next_version(self) -> int:
        """The version of the next batch: a time in microseconds, later than every earlier one."""
        app_id = collect_transaction(self.platform)
        landed = (each.raw.applied_version(app_id) or 0 for each in self.streams.values())
        taken = [*(batch.version for batch in self.spool.waiting()), *landed]
        now = int(datetime.now(UTC).timestamp() * 1_000_000)
        return max([now, *(version + 1 for version in taken)])

    def take(self, records: pa.Table, promotion: Mapping[str, object]) -> dict[str, set[date]]:
        """Take records through all steps and promote; returns each stream's dates that changed.

        The caller must have called `recover_pages`. When the batch is in the spool, it is not lost.
        """
        batch = PageBatch(self.platform, self.next_version(), records, promotion)
        self.spool.write(batch)
        return self._complete(batch)

    def recover_pages(self) -> dict[str, set[date]]:
        """Complete the batches that a killed process left; returns each stream's changed dates."""
        changed: dict[str, set[date]] = {}
        for batch in self.spool.waiting():
            for stream, days in self._complete(batch).items():
                changed.setdefault(stream, set()).update(days)
        return changed

    def _complete(self, batch: PageBatch) -> dict[str, set[date]]:
        changed = {stream: land_stream(self.streams[stream], batch) for stream in batch.streams}
        self.promote(batch.promotion)
        self.spool.remove(batch)
        return changed


def land_stream(stores: StreamStores, batch: PageBatch) -> set[date]:
    """Take a batch's records of one stream through all steps, unless raw has them already."""
    applied = Applied(collect_transaction(batch.platform), batch.version, is_once=True)
    with (
        stores.lock(),
        stores.engine.session() as session,
        micro_batch_loader(stores.loader) as loader,
    ):
        stores.in_force.check_complete()
        # Also takes this batch through the remaining steps if a killed process has landed it.
        changed = recover(stores)
        if (stores.raw.applied_version(applied.app_id) or 0) >= batch.version:
            return changed
        ingested_at = arrival(stores)
        validator = BatchValidator(stores, session)
        validated = validator.validate(_raw(stores, batch, ingested_at), ingested_at)
        if validated.error is not None:
            validated = with_own_batch_id(validated)
            quarantine(stores, validated)
        land(stores, validated, [applied])
        clean(stores, validated)
        validator.committed(validated)
        load(stores, loader, ingested_at, validated.cleaned)
        loader.mark_loaded(ingested_at)
        _enter(stores, batch, validated)
        return changed | set(validated.counts())


def _raw(stores: StreamStores, batch: PageBatch, ingested_at: datetime) -> pa.Table:
    """The records of one stream as rows of raw, numbered from 1, with null event dates."""
    records = batch.of(stores.name)
    count = records.num_rows
    constant = {
        "key": None,
        "headers": None,
        "csv_header": None,
        "source": "pages",
        "origin": batch.platform,
        "partition": 0,
        "ingested_at": ingested_at,
        "batch_id": f"{PAGES_PREFIX}{batch.platform.lower()}/{batch.version}",
        "event_date": None,
        ELEMENT.name: None,
    }
    schema = stores.raw.schema
    columns = {
        name: pa.repeat(pa.scalar(value, schema.field(name).type), count)
        for name, value in constant.items()
        if name in schema.names
    }
    columns["value"] = records["value"]
    columns["timestamp"] = records["fetched_at"]
    columns["offset"] = pa.array(range(1, count + 1), pa.int64())
    return pa.table({name: columns[name] for name in schema.names})


def _enter(stores: StreamStores, batch: PageBatch, validated: ValidatedBatch) -> None:
    """Enter the batch in the ledger. If a crash prevents this, it is counted from raw later."""
    (batch_id,) = validated.batch_ids
    days = sorted(validated.counts().items())
    landed = [Entry(batch_id, day, batch.platform, records=each.landed) for day, each in days]
    stores.ledger.record("raw", landed)
    if validated.error is None:
        cleaned = [
            Entry(batch_id, day, batch.platform, n.accepted, n.duplicates, n.rejected)
            for day, n in days
        ]
        stores.ledger.record("cleaned", cleaned)
    how = {"step": "collect", "batch_id": batch_id, "records": validated.raw.num_rows}
    StepLog(stores).info("%s pages are through all steps", batch.platform, extra=how)
