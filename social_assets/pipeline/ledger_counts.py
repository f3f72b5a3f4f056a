"""Keeps the ledger complete: counts the rows of the tables and adds what the ledger lacks.

Belongs here: counting rows by batch and date. It is called after each step, and at the start of
each load or rebuild, in case a crash came between a table's commit and the ledger's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date
from typing import get_args

import ibis.expr.types as ir
import pyarrow as pa

from social_assets.lake.delta import LakeTable
from social_assets.lake.ledger import Entry, Step
from social_assets.pipeline.stores import StreamStores
from social_assets.pipeline.validation.records import Counts
from social_assets.transform.duckdb_engine import Session

_BATCH_DAY = ["batch_id", "event_date", "origin"]


def reconcile(stores: StreamStores) -> None:
    """Add the batches that are in raw and not in the ledger.

    Compares the counts by date, which are in the logs, and scans only the dates that differ.
    """
    known = Counter[date]()
    for entry in stores.ledger.entries("raw"):
        known[entry.event_date] += entry.records
    differing = [day for day, rows in stores.raw.rows_by_day().items() if known[day] != rows]
    if not differing:
        return
    with stores.engine.session() as session:
        counted = _counted(session, stores.raw, differing)
    stores.ledger.record("raw", [Entry(*key, records=n) for key, n in counted.items()])


def account_cleaned(stores: StreamStores, days: Iterable[date], batch_id: str) -> None:
    """Count a batch in cleaned and quarantine, and enter it: one that an interrupted call cleaned
    in part.
    """
    listed = list(days)
    with stores.engine.session() as session:
        landed = _counted(session, stores.raw, listed, batch_id)
        accepted = _counted(session, stores.cleaned, listed, batch_id)
        duplicates = _counted(session, stores.quarantine, listed, batch_id, "duplicate")
        rejected = _counted(session, stores.quarantine, listed, batch_id, "rejected")
    entries = [
        Entry(*key, records=accepted[key], duplicates=duplicates[key], rejected=rejected[key])
        for key in landed
    ]
    stores.ledger.record("cleaned", entries)


def recount_raw(stores: StreamStores) -> None:
    """Count all batches in raw, and enter them anew: records belong to other days now.

    The days that batches had before have no records, in cleaned neither.
    """
    known = {e.event_date for step in get_args(Step) for e in stores.ledger.entries(step)}
    recount_days(stores, known | stores.raw.rows_by_day().keys())


def recount_days(stores: StreamStores, days: Collection[date]) -> None:
    """Count the batches of some days in raw, and enter them anew: records of them are gone.

    A batch that has no record of a day any more has none in cleaned either.
    """
    with stores.engine.session() as session:
        landed = _counted(session, stores.raw, sorted(days))
    there = {(batch_id, day) for batch_id, day, _ in landed}
    for step in get_args(Step):
        entries = [e for e in stores.ledger.entries(step) if e.event_date in days]
        left = [e for e in entries if (e.batch_id, e.event_date) not in there]
        gone = [Entry(each.batch_id, each.event_date, each.origin, records=0) for each in left]
        stores.ledger.record(step, gone)
    stores.ledger.record("raw", [Entry(*key, records=n) for key, n in landed.items()])


def recount_cleaned(stores: StreamStores) -> None:
    """Count all batches in cleaned and quarantine, and enter them anew: all rows were replaced."""
    days = sorted(stores.raw.rows_by_day())
    with stores.engine.session() as session:
        landed = _counted(session, stores.raw, days)
        accepted = _counted(session, stores.cleaned, days)
        duplicates = _counted(session, stores.quarantine, days, kind="duplicate")
        rejected = _counted(session, stores.quarantine, days, kind="rejected")
    entries = [
        Entry(*key, records=accepted[key], duplicates=duplicates[key], rejected=rejected[key])
        for key in landed
        if accepted[key] or duplicates[key] or rejected[key]
    ]
    stores.ledger.record("cleaned", entries)


def enter_landed(stores: StreamStores, counts: Iterable[Counts]) -> None:
    """Enter what has just landed. Left out by a crash, it is counted from raw."""
    entries = [_entry(each, each.landed) for each in counts]
    stores.ledger.record("raw", entries)


def enter_cleaned(stores: StreamStores, counts: Iterable[Counts]) -> None:
    """Enter what has just been cleaned. Left out by a crash, it is counted from the tables."""
    entries = [_entry(c, c.accepted, c.duplicates, c.rejected) for c in counts]
    stores.ledger.record("cleaned", entries)


def _entry(of: Counts, records: int, duplicates: int = 0, rejected: int = 0) -> Entry:
    batch = of.batch
    return Entry(batch.batch_id, of.event_date, batch.origin, records, duplicates, rejected)


def _counted(
    session: Session,
    table: LakeTable,
    days: list[date],
    batch_id: str | None = None,
    kind: str | None = None,
) -> Counter[tuple[str, date, str]]:
    """Rows by batch, date and origin, in the order in which the batches landed."""
    columns = [*_BATCH_DAY, "ingested_at", *(["verdict"] if kind else [])]
    rows: ir.Table = session.scan(table.files(days), table.schema, columns)
    if batch_id is not None:
        rows = rows.filter(rows.batch_id == session.constant(batch_id))
    if kind is not None:
        rows = rows.filter(rows.verdict == kind)
    groups = rows.group_by(_BATCH_DAY).agg(n=rows.count(), landed=rows.ingested_at.min())
    counted: pa.Table = session.table(groups.order_by("landed", "batch_id", "event_date"))
    keys = zip(*(counted[name].to_pylist() for name in _BATCH_DAY), strict=True)
    return Counter(dict(zip(keys, counted["n"].to_pylist(), strict=True)))
